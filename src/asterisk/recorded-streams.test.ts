import { describe, expect, it } from 'vitest';
import { ownFacts, recordedFrames } from '../../test/support/recorded-call.js';
import type { Call } from '../calls/domain/call.js';
import { LiveCall } from '../calls/ledger/live-call.js';
import type { AriFrame } from './ari-frame.js';
import { reconcile } from './reconcile.js';
import { translate } from './translate.js';

const nobody = {
  tenantId: '01936c7e-8b2a-7000-8000-0000000000aa',
  pbxNodeId: '01936c7e-8b2a-7000-8000-0000000000bb',
};

/** The call that Ringline would have made of them: with its own facts, which no frame tells. */
function replay(frames: readonly AriFrame[]): LiveCall {
  const told = frames.flatMap((frame) => translate(frame, 0) ?? []);
  const { id, facts: own } = ownFacts(told);
  const call = new LiveCall({ id, ...nobody }, 'boot', [], null);
  call.apply(own);
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
    const frames = recordedFrames(name);
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
    const frames = recordedFrames('incoming-agent-busy');
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
    const frames = recordedFrames('click-to-call-answered');
    expect(frames.some(({ type, cause }) => type === 'ChannelHangupRequest' && cause === 32)).toBe(true);
    expect(record(replay(frames)).legs.map(({ q850 }) => q850)).toEqual([16, 16]);
  });

  it('knows the cause of each leg when only requests told it', () => {
    const frames = recordedFrames('incoming-agent-busy').filter(({ type }) => type !== 'ChannelDestroyed');
    const call = replay(frames);
    const takenAt = Date.parse(frames.at(-1)?.timestamp?.replace('+0000', 'Z') ?? '') + 5_000;
    const snapshot = { boot: 'boot', app: 'ringline', channels: [], bridges: [], takenAt };
    for (const { facts } of reconcile(snapshot, [call], 'all', takenAt).told) call.apply(facts);
    expect(record(call).legs.map(({ q850 }) => q850)).toEqual([16, 17]);
  });
});
