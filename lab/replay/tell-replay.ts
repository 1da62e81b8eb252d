import type { Call, CallNumber } from '../../src/calls/domain/call.js';
import { compare, type Difference } from './differences.js';
import type { Replayed, ReplayedCall, ReplayedEvent } from './replay.js';

/** A replay as a person reads it. */
export function tellReplay(replayed: Replayed): string {
  const { calls, frames, badFrames, snapshots, unrouted, unassigned, missed } = replayed;
  const counts = {
    calls: calls.length,
    frames,
    snapshots,
    'frames that are no events': badFrames,
    'callers who dialled no line': unrouted,
    'things told about no call of this stream': unassigned,
    'lines lost while it was recorded': missed,
  };
  const told = Object.entries(counts).filter(([what, count]) => count > 0 || what === 'calls');
  return [...calls.map(tellCall), told.map(([what, count]) => `${what}: ${count}`).join(', ')].join('\n\n');
}

function tellCall({ record, events }: ReplayedCall): string {
  const { direction, from, to, line, status, outcome, outcomeReason, hangup, estimated } = record;
  const end = outcome === null ? status : `${outcome} (${outcomeReason}), ended by ${hangup?.by}`;
  return [
    `call ${record.id}: ${direction}, ${numberOf(from)} -> ${numberOf(to)} (${line?.name ?? 'no line'})`,
    `  ${end}${estimated ? ', estimated' : ''}; waited ${record.waitSeconds} s, talked ${record.talkSeconds} s`,
    ...record.legs.map(tellLeg),
    ...events.map((event, i) => tellEvent(events[i - 1], event)),
  ].join('\n');
}

function tellLeg({
  id,
  side,
  device,
  ringingAt,
  answeredAt,
  endedAt,
  q850,
  sip,
  release,
}: Call['legs'][number]): string {
  const parts = [
    ringingAt && `rang ${timeOf(ringingAt)}`,
    answeredAt && `answered ${timeOf(answeredAt)}`,
    endedAt && `ended ${timeOf(endedAt)}`,
    q850 !== null && `Q.850 ${q850}`,
    sip !== null && `SIP ${sip}`,
    release && `released: ${release}`,
  ].filter(Boolean);
  return `  ${side} ${device ?? id}: ${parts.join(', ') || 'nothing told'}`;
}

const blank: Partial<Call> = { outcome: null, outcomeReason: null, talkSeconds: 0, note: null, disposition: null };

/** An event with the fields that it changed, but for times and legs, which the lines above tell. */
function tellEvent(before: ReplayedEvent | undefined, { sequence, type, at, call }: ReplayedEvent): string {
  const told = ['status', 'outcome', 'outcomeReason', 'talkSeconds', 'note', 'disposition'] as const;
  const changed = told.flatMap((field) =>
    compare(before?.call[field] ?? blank[field], call[field], field).map(
      ({ other }) => `${field} ${JSON.stringify(other)}`,
    ),
  );
  return `  ${String(sequence).padStart(3)} ${at} ${type.padEnd(14)} ${changed.join(', ')}`.trimEnd();
}

export function tellDifferences(found: readonly Difference[]): string {
  if (found.length === 0) return 'no differences';
  const calls = new Set(found.map(({ call }) => call));
  const parts = [...calls].flatMap((call) => [
    `call ${call}`,
    ...found
      .filter((difference) => difference.call === call)
      .map(({ field, one, other }) => `  ${field || 'the call'}: ${show(one)} | ${show(other)}`),
  ]);
  return [...parts, `${found.length} differences in ${calls.size} calls`].join('\n');
}

function show(value: unknown): string {
  if (value === undefined) return 'not there';
  const text = JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 97)}...` : text;
}

function numberOf({ e164, raw }: CallNumber): string {
  return e164 ?? (raw || 'anonymous');
}

function timeOf(instant: string): string {
  return instant.slice(11, 23);
}
