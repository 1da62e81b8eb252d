import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FAX, pictureAt, SOUND } from '../../lab/more-than-sound.js';
import { finalAnswerTo, statusOf, type SipCall } from '../../lab/sip-trace.js';
import type { CallerOptions, Phone } from '../../lab/sipp.js';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';
import { DrivenScene } from './driven-scene.js';

// Callers who are not plain: numbers with an extension, who call again at once, who offer pictures and fax.

let scene: DrivenScene;
let phone: Phone;

beforeAll(async () => {
  scene = await DrivenScene.set();
  phone = await scene.lab.sipp.phone({ register: ['agent1'], ringMs: 1_000, mediaCalls: 4 });
});
afterAll(() => scene?.end());

function call(from: string, more: Omit<CallerOptions, 'calls'>) {
  return scene.lab.sipp.caller({ calls: [{ from, to: scene.company.did }], mediaCalls: 1, ...more });
}

/** What the caller's phone and the agent's say against a record. */
async function expectTrue(record: Call, remote: SipCall | undefined): Promise<void> {
  const agents = (await phone.calls()).filter(({ callId }) => record.sipCallIds.includes(callId));
  expect(await scene.disagreements(record, { remote, agents })).toEqual([]);
}

const ANSWERED = ['started', 'ringing', 'answered', 'ended'];

/** A call that is answered and that the caller ends, in full. */
async function expectAnswered(record: Call, remote: SipCall | undefined): Promise<void> {
  expect(record).toMatchObject({
    direction: 'inbound',
    outcome: 'answered',
    outcomeReason: 'talked',
    estimated: false,
    hangup: { by: 'remote' },
    participants: [{ role: 'answered', agentId: scene.company.agentIds[0], device: 'PJSIP/agent1' }],
    recordings: [],
  });
  await expectTrue(record, remote);
  expect(await scene.eventTypes(record)).toEqual(ANSWERED);
}

describe('a caller with an extension behind his number', () => {
  const number = '+493023125321';

  // Of parameters behind a number Asterisk tells nothing.
  it.each<[string, Pick<CallerOptions, 'userParameters' | 'headers'>, string]>([
    ['a parameter in From', { userParameters: ';ext=12' }, number],
    ['one in P-Asserted-Identity', { headers: [`P-Asserted-Identity: <sip:${number};ext=12@127.0.0.1>`] }, number],
    ['the number’s own text', { userParameters: 'x12' }, `${number}x12`],
  ])('is known by the number: %s', async (_, identity, raw) => {
    const caller = await call(number, { ...identity, talkMs: 1_000 });
    await caller.done;
    const record = await scene.ended(number);
    expect(record.remote).toEqual({ raw, e164: number, name: null });
    await expectAnswered(record, (await caller.calls())[0]);
  });

  it.each([';ext=12', 'x12'])('is blocked by the number, with %s behind it', async (userParameters) => {
    const { body } = await scene.company.call('POST', '/v1/blocked-numbers', { body: { pattern: number } });
    const caller = await call(number, { userParameters, talkMs: 1_000 });
    await caller.done;
    const record = await scene.ended(number);
    expect(record).toMatchObject({ outcome: 'blocked', outcomeReason: 'blocked-number', participants: [] });
    expect((await caller.calls())[0]?.finalStatus).toBe(403);
    expect(await scene.eventTypes(record)).toEqual(['started', 'ended']);
    await scene.company.call('DELETE', `/v1/blocked-numbers/${body.id}`);
  });
});

describe('a caller who calls twice', () => {
  it.each([
    ['after he gave up', '+493023125331', { giveUpMs: 400 }, ['missed', 'caller-gave-up', 'rang']],
    ['while his first call rings', '+493023125332', { talkMs: 2_000 }, ['answered', 'talked', 'answered']],
  ] as const)('within two seconds, %s, has two records', async (_, number, first, expected) => {
    const one = await call(number, first);
    const rings = await one.call(({ ringingAt }) => ringingAt !== undefined, 'the first call to ring');
    if ('giveUpMs' in first) await one.call(({ cancelAt }) => cancelAt !== undefined, 'the first call to be given up');
    const two = await call(number, { talkMs: 1_000 });
    await Promise.all([one.done, two.done]);
    const [second, ...others] = await waitFor(
      async () => {
        const found = await scene.records(number);
        return found.length > 1 && found.every(({ status }) => status === 'ended') && found;
      },
      { what: 'both records to end' },
    );
    expect(others).toHaveLength(1);
    const [before] = others;
    const [firstCall, secondCall] = [(await one.calls())[0], (await two.calls())[0]];
    expect((secondCall?.inviteAt ?? Infinity) - rings.inviteAt).toBeLessThan(2_000);
    expect([before!.outcome, before!.outcomeReason, before!.participants[0]?.role]).toEqual(expected);
    expect(before!.sipCallIds).toContain(firstCall?.callId);
    expect(second!.sipCallIds).toContain(secondCall?.callId);
    expect(before!.sipCallIds.filter((id) => second!.sipCallIds.includes(id))).toEqual([]);
    await expectTrue(before!, firstCall);
    await expectAnswered(second!, secondCall);
    expect(await scene.eventTypes(before!)).toEqual(
      expected[0] === 'answered' ? ANSWERED : ['started', 'ringing', 'ended'],
    );
  });
});

describe('a caller who offers more than sound', () => {
  it.each<[string, string, Pick<CallerOptions, 'offers' | 'reoffers'>, string]>([
    ['a picture from the start', '+493023125341', { offers: pictureAt(9) }, 'm=video 0 '],
    ['a picture later', '+493023125342', { reoffers: [...SOUND, ...pictureAt(9)] }, 'm=video 0 '],
    ['fax later, which is refused', '+493023125343', { reoffers: FAX }, ''],
  ])('%s: has one record, as of a call with sound', async (_, number, offered, answer) => {
    const caller = await call(number, { ...offered, talkMs: 1_000 });
    await caller.done;
    const record = await scene.ended(number);
    const [remote] = await caller.calls();
    const final = remote && finalAnswerTo(remote, offered.reoffers === undefined ? 'first' : 'last');
    expect(final && statusOf(final)).toBe(answer === '' ? 488 : 200);
    expect(final?.body).toContain(answer);
    await expectAnswered(record, remote);
    expect(await scene.records(number)).toHaveLength(1);
  });
});
