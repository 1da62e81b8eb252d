import type { StreamEntry } from '../../src/asterisk/raw-stream/stream-entry.js';
import { roomOf } from '../../src/calls/control/legs.js';

/** What a stream holds about one call: another stream, which folds to that call alone. */
export function aboutCall(entries: readonly StreamEntry[], callId: string): StreamEntry[] {
  const legs = new Set([callId]);
  for (const entry of entries) {
    if (entry.kind === 'routed' && entry.callId === callId) legs.add(entry.leg);
    if (entry.kind === 'told' && entry.told.call?.id === callId) for (const { leg } of entry.told.facts) legs.add(leg);
  }
  const names = [...legs].map((leg) => JSON.stringify(leg));
  const room = roomOf(callId);
  const isAbout = (entry: StreamEntry): boolean => {
    switch (entry.kind) {
      case 'frame':
        return entry.text.includes(room) || names.some((name) => entry.text.includes(name));
      case 'routed':
        return entry.callId === callId;
      case 'told':
        return legs.has(entry.told.leg);
      case 'opened':
      case 'closed':
      case 'snapshot':
      case 'missed':
        return false;
    }
  };
  const first = entries.findIndex(isAbout);
  const last = entries.findLastIndex(isAbout);
  const opened = entries.findLastIndex(({ kind }, i) => kind === 'opened' && i < first);
  return entries.flatMap((entry, i): StreamEntry[] => {
    if (i === opened || isAbout(entry)) return [entry];
    if (i < first || i > last || entry.kind === 'frame' || entry.kind === 'routed' || entry.kind === 'told') return [];
    if (entry.kind !== 'snapshot') return [entry];
    const channels = entry.channels.filter(({ id }) => legs.has(id));
    const bridges = entry.bridges.filter(({ id }) => id === room);
    return [{ ...entry, channels, bridges }];
  });
}
