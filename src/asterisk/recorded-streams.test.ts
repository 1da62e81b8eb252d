import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Call } from '../calls/domain/call.js';
import type { Fact } from '../calls/domain/fact.js';
import { LiveCall } from '../calls/ledger/live-call.js';
import { callOfOurId } from '../calls/control/legs.js';
import { parseFrame, type AriFrame } from './ari-frame.js';
import { reconcile } from './reconcile.js';
import { translate } from './translate.js';

const agentId = '01936c7e-8b2a-7000-8000-0000000000cc';
const identity = {
  tenantId: '01936c7e-8b2a-7000-8000-0000000000aa',
  pbxNodeId: '01936c7e-8b2a-7000-8000-0000000000bb',
};
const line = { id: '01936c7e-8b2a-7000-8000-0000000000dd', number: '+493023125000', name: 'Sales' };
const outside = { raw: '+493023125300', e164: '+493023125300', name: null };

/** What the switch of the lab sent about one call, frame by frame. */
function recorded(name: string): readonly AriFrame[] {
  return readFileSync(new URL(`../../test/fixtures/ari/${name}.jsonl`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((text) => {
      const frame = parseFrame(text);
      if (frame === null) throw new Error(`${name} has a line that is no event`);
      return frame;
    });
}

/** The call that Ringline would have made of them: with its own facts, which no frame tells. */
function replay(frames: readonly AriFrame[]): LiveCall {
  const told = frames.flatMap((frame) => translate(frame, 0) ?? []);
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
  const call = new LiveCall({ id, ...identity }, 'boot', [], null);
  call.apply([
    own(id, 'placed', { direction, from: outside, to: outside, line, plan }),
    ...ids.flatMap((leg) =>
      leg === caller
        ? []
        : [
            own(leg, 'planned', {
              side: leg.endsWith('-r') ? 'remote' : 'agent',
              agentId: leg.endsWith('-r') ? null : agentId,
              device: leg.endsWith('-r') ? null : 'PJSIP/agent1',
              contact: null,
            }),
          ],
    ),
  ]);
  for (const { facts } of told) call.apply(facts);
  return call;
}

function record(call: LiveCall): Call {
  if (call.document === null) throw new Error('nothing was recorded');
  return call.document;
}

/** What people see of a call at its end, but for its times. */
function essence({ status, outcome, outcomeReason, talkSeconds, waitSeconds, estimated, hangup }: Call): unknown {
  return { status, outcome, outcomeReason, talkSeconds, waitSeconds, estimated, by: hangup?.by };
}

/** How far apart the times of two records are, ms; infinite where only one has a time. */
function timesApart(one: Call, other: Call): number {
  const fields = ['startedAt', 'ringingAt', 'answeredAt', 'endedAt'] as const;
  const apart = fields.map((field) => {
    const [a, b] = [one[field], other[field]];
    if (a === null || b === null) return a === b ? 0 : Infinity;
    return Math.abs(Date.parse(a) - Date.parse(b));
  });
  return Math.max(...apart);
}

describe('a recorded stream in which the end of channels is never told', () => {
  it.each([
    { name: 'incoming-answered', outcome: 'answered' },
    { name: 'incoming-agent-busy', outcome: 'missed' },
    { name: 'click-to-call-answered', outcome: 'answered' },
  ])('$name gives the same record once the switch is asked', ({ name, outcome }) => {
    const frames = recorded(name);
    const whole = record(replay(frames));
    expect(whole).toMatchObject({ status: 'ended', outcome, hangup: { by: 'remote' } });

    const cut = frames.filter(({ type }) => type !== 'ChannelDestroyed');
    expect(cut.length).toBeLessThan(frames.length);
    const call = replay(cut);
    expect(record(call).status).not.toBe('ended');
    const takenAt = Date.parse(whole.endedAt ?? '') + 5_000;
    const snapshot = { boot: 'boot', app: 'ringline', channels: [], bridges: [], takenAt };
    for (const { facts } of reconcile(snapshot, [call], 'all', takenAt).told) call.apply(facts);
    expect(essence(record(call))).toEqual(essence(whole));
    expect(timesApart(record(call), whole)).toBeLessThan(1_000);
  });
});

describe('a recorded stream whose cause is spread over events', () => {
  it('gives a caller who hung up the cause of an earlier request where the end says 0', () => {
    const frames = recorded('incoming-agent-busy');
    const caller = frames.find(({ type }) => type === 'StasisStart')?.channel?.id;
    const destroyed = frames.find(({ type, channel }) => type === 'ChannelDestroyed' && channel?.id === caller);
    expect(destroyed?.cause).toBe(0);
    const { hangup, legs } = record(replay(frames));
    expect(hangup).toMatchObject({ by: 'remote', q850: 16 });
    expect(legs.map(({ side, q850, sip }) => ({ side, q850, sip }))).toEqual([
      { side: 'remote', q850: 16, sip: null },
      { side: 'agent', q850: 17, sip: 486 },
    ]);
  });

  it('does not take the 32 of a request for the cause of a leg that was sent away', () => {
    const frames = recorded('click-to-call-answered');
    expect(frames.some(({ type, cause }) => type === 'ChannelHangupRequest' && cause === 32)).toBe(true);
    expect(record(replay(frames)).legs.map(({ q850 }) => q850)).toEqual([16, 16]);
  });

  it('knows the cause of each leg when only requests told it', () => {
    const frames = recorded('incoming-agent-busy').filter(({ type }) => type !== 'ChannelDestroyed');
    const call = replay(frames);
    const takenAt = Date.parse(frames.at(-1)?.timestamp?.replace('+0000', 'Z') ?? '') + 5_000;
    const snapshot = { boot: 'boot', app: 'ringline', channels: [], bridges: [], takenAt };
    for (const { facts } of reconcile(snapshot, [call], 'all', takenAt).told) call.apply(facts);
    expect(record(call).legs.map(({ q850 }) => q850)).toEqual([16, 17]);
  });
});
