import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connected } from '../../lab/company.js';
import type { Moment } from '../../lab/fault-proxy.js';
import type { Phone } from '../../lab/sipp.js';
import type { Call } from '../../src/calls/domain/call.js';
import { DrivenScene } from './driven-scene.js';

// The connection to Asterisk is cut at a moment of a call, what told of that moment is lost, and the process lives on.

/** Answers to requests hold types of events too, but do not say which Asterisk tells. */
const event = (words: readonly string[], withhold: Moment['withhold'] = 'these'): Moment => ({
  direction: 'down',
  words: new RegExp(['"asterisk_id"', ...words].map((word) => `(?=.*${word})`).join(''), 's'),
  withhold,
});
const request = (words: string): Moment => ({ direction: 'up', words: new RegExp(words), withhold: 'nothing' });

let scene: DrivenScene;
let first: Phone;
let second: Phone;
let callers = 0;

beforeAll(async () => {
  scene = await DrivenScene.set({ agents: [1, 2] });
  first = await scene.lab.sipp.phone({ register: ['agent1'], ringMs: 1_000, mediaCalls: 2 });
  second = await scene.lab.sipp.phone({ register: ['agent2'], ringMs: 1_000, mediaCalls: 2 });
});
afterAll(() => scene?.end());

type Run = { readonly record: Call; readonly shape: unknown; readonly against: readonly string[] };

/** A call of which the caller hangs up, with a cut at a moment. */
async function run(cut: Moment | 'before' | null, talkMs: number, act?: (call: Call) => Promise<void>): Promise<Run> {
  const { lab, ari, ringline, company } = scene;
  if (cut === 'before') ari.reset();
  await connected(ringline, company.nodeId);
  const isCut = cut === null || cut === 'before' ? null : ari.trap(cut).sprung.then(() => ari.reset());
  const from = `+49302312530${callers++}`;
  const before = [(await first.calls()).length, (await second.calls()).length];
  const caller = await lab.sipp.caller({ calls: [{ from, to: company.did }], mediaCalls: 1, talkMs });
  await act?.(await scene.record(from, 'the parties to talk', ({ status }) => status === 'answered'));
  await caller.done;
  await isCut;
  const record = await scene.ended(from);
  const [remote] = await caller.calls();
  const agents = [...(await first.calls()).slice(before[0]), ...(await second.calls()).slice(before[1])];
  expect(await scene.records(from), 'one call is one record').toHaveLength(1);
  expect(agents.map(({ invites }) => invites)).toEqual(record.participants.map(() => 1));
  expect(Math.abs(record.talkSeconds * 1_000 - (remote?.talkMs ?? 0)), 'the talk').toBeLessThan(1_000);
  const { direction, outcome, outcomeReason, participants, hangup } = record;
  const roles = participants.map(({ agentId, device, role }) => ({ agentId, device, role }));
  const types = await scene.eventTypes(record);
  return {
    record,
    shape: { direction, outcome, outcomeReason, roles, by: hangup?.by, types },
    against: await scene.disagreements(record, { remote, agents }),
  };
}

describe('a call during which the connection to Asterisk is cut', () => {
  // Longer than what makes the next cut the first one again: connections that last are opened anew at once.
  const talkMs = 4_000;
  let uncut: Run;
  beforeAll(async () => {
    uncut = await run(null, talkMs);
  });

  it('or not, is answered and ended by the caller', () => {
    expect(uncut).toMatchObject({
      record: { estimated: false, outcome: 'answered', outcomeReason: 'talked' },
      shape: { by: 'remote', types: ['started', 'ringing', 'answered', 'ended'] },
      against: [],
    });
  });

  it.each<[string, Moment | 'before']>([
    ['before it begins', 'before'],
    ['as it begins', event(['"type":\\s*"StasisStart"'])],
    // Asterisk ends the leg that we make now, and cannot tell us.
    ['as it has begun', event(['"type":\\s*"StasisStart"'], 'nothing')],
    ['as a phone is dialled', request('^POST /ari/channels/[^ ]*/dial')],
    ['as that rings', event(['"dialstatus":\\s*"RINGING"'])],
    ['as that answers', event(['"dialstatus":\\s*"ANSWER"'])],
    ['as both are joined', event(['"type":\\s*"ChannelEnteredBridge"', '"state":\\s*"Up"'])],
    ['as it is told that one hangs up', event(['"type":\\s*"ChannelHangupRequest"'], 'nothing')],
  ])('%s is recorded as one that is not cut', async (_, cut) => {
    const { record, shape, against } = await run(cut, talkMs);
    expect(shape).toEqual(uncut.shape);
    // Only when a phone answered unheard is not known before it is looked for.
    const isAllowed = (text: string): boolean => record.estimated && text.startsWith('the answer of ');
    expect(against.filter((text) => !isAllowed(text))).toEqual([]);
  });

  it('before it is told that one hangs up is recorded as one that is not cut, but who did so is not known', async () => {
    const { record, shape, against } = await run(event(['"type":\\s*"ChannelHangupRequest"']), talkMs);
    expect(shape).toEqual({ ...(uncut.shape as object), by: 'unknown' });
    expect(record.estimated).toBe(true);
    expect(against).toEqual(['the record says that unknown hung up, it was remote']);
  });
});

describe('a call that is held and transferred, during which the connection is cut', () => {
  const talkMs = 5_000;
  const act = async ({ id, remote: { raw: from } }: Call): Promise<void> => {
    const { company } = scene;
    await company.call('POST', `/v1/calls/${id}/hold`);
    await scene.record(from, 'the hold', ({ status }) => status === 'held');
    await company.call('POST', `/v1/calls/${id}/unhold`);
    await scene.record(from, 'its end', ({ status }) => status === 'answered');
    await company.call('POST', `/v1/calls/${id}/transfer`, { body: { agentId: company.agentIds[1], mode: 'blind' } });
  };
  let uncut: Run;
  beforeAll(async () => {
    uncut = await run(null, talkMs, act);
  });

  it('or not, is transferred and ended by the caller', () => {
    expect(uncut).toMatchObject({
      record: { estimated: false, outcome: 'answered', outcomeReason: 'talked' },
      shape: {
        by: 'remote',
        roles: [{ role: 'transferred' }, { role: 'answered' }],
        types: ['started', 'ringing', 'answered', 'held', 'resumed', 'held', 'transferred', 'resumed', 'ended'],
      },
    });
  });

  it.each<[string, Moment]>([
    ['as the hold is asked for', request('^POST /ari/(channels|bridges)/[^ ]*/moh')],
    ['as the target rings', event(['"dialstatus":\\s*"RINGING".*"name":\\s*"PJSIP/agent2'])],
  ])('%s, is recorded as one that is not cut', async (_, cut) => {
    const { record, shape } = await run(cut, talkMs, act);
    expect(shape).toEqual(uncut.shape);
    const talked = record.participants.reduce((sum, { talkSeconds }) => sum + talkSeconds, 0);
    expect(talked).toBe(record.talkSeconds);
  });
});
