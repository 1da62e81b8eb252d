import { readFileSync } from 'node:fs';
import { parseFrame, type AriFrame } from '../../src/asterisk/ari-frame.js';
import { parseCelLine, type CelLine } from '../../src/asterisk/cel/cel-line.js';
import type { Translation } from '../../src/asterisk/translate.js';
import { callOfOurId } from '../../src/calls/control/legs.js';
import type { Fact } from '../../src/calls/domain/fact.js';

export const agentId = '01936c7e-8b2a-7000-8000-0000000000cc';
const line = { id: '01936c7e-8b2a-7000-8000-0000000000dd', number: '+493023125000', name: 'Sales' };
const outside = { raw: '+493023125300', e164: '+493023125300', name: null };

function linesOf(file: string): string[] {
  return readFileSync(new URL(`../fixtures/${file}`, import.meta.url), 'utf8')
    .trim()
    .split('\n');
}

/** What the switch of the lab sent about one call, frame by frame. */
export function recordedFrames(name: string): readonly AriFrame[] {
  return linesOf(`ari/${name}.jsonl`).map((text) => {
    const frame = parseFrame(text);
    if (frame === null) throw new Error(`${name} has a line that is no event`);
    return frame;
  });
}

/** What it wrote into its log about the same call. */
export function recordedLog(name: string): readonly CelLine[] {
  return linesOf(`cel/${name}.csv`).map((text) => {
    const read = parseCelLine(text);
    if (read === null) throw new Error(`${name} has a line that is no record`);
    return read;
  });
}

/** The call's id, and the facts of our own that Ringline would have had of it: none of frame and log tells them. */
export function ownFacts(told: readonly Translation[]): { readonly id: string; readonly facts: readonly Fact[] } {
  const ids = [...new Set(told.map(({ leg }) => leg))];
  const id = ids.map(callOfOurId).find((found) => found !== null);
  if (id == null) throw new Error('no leg of ours is in the stream');
  const at = Math.min(...told.flatMap(({ facts }) => facts.map((fact) => fact.at)));
  const caller = ids.find((leg) => callOfOurId(leg) === null);
  const phone = { agentId, endpoint: 'agent1', autoAnswer: 'none' };
  const plan =
    caller === undefined
      ? { kind: 'click-to-call', phones: [phone], to: outside, line, tags: [] }
      : { kind: 'ring-line', callerLeg: caller, phones: [phone] };
  const own = (leg: string, kind: Fact['kind'], data: unknown): Fact =>
    ({ leg, kind, key: '', at, source: 'ringline', data }) as Fact;
  const direction = caller === undefined ? 'outbound' : 'inbound';
  const legs = ids.filter((leg) => leg !== caller);
  const planned = legs.map((leg) => {
    const isRemote = leg.endsWith('-r');
    return own(leg, 'planned', {
      side: isRemote ? 'remote' : 'agent',
      agentId: isRemote ? null : agentId,
      device: isRemote ? null : 'PJSIP/agent1',
      contact: null,
    });
  });
  return { id, facts: [own(id, 'placed', { direction, from: outside, to: outside, line, plan }), ...planned] };
}
