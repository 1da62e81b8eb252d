import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connected } from '../../lab/company.js';
import type { Phone } from '../../lab/sipp.js';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';
import { DrivenScene } from './driven-scene.js';

/** The recording begins; and, after the end, it is over and cannot be had. */
const [RECORDED, LOST] = [['updated'], ['updated', 'updated']] as const;
/** Within what time of the PBX's return each record is closed. */
const CLOSED_MS = 10_000;

const NUMBERS = { rings: '+493023125301', talks: '+493023125302', held: '+493023125303', clicked: '+493023125304' };
type Moment = keyof typeof NUMBERS;

let scene: DrivenScene;
let phones: Phone[];
const before = {} as Record<Moment, Call>;
const after = {} as Record<Moment, Call>;
let killedAt = 0;
let closedMs = 0;

beforeAll(async () => {
  scene = await DrivenScene.set({ agents: [1, 2, 3, 4], recording: 'on' }, { RECORDING_RETRY_SECONDS: '0,1,1' });
  const { lab, company } = scene;
  phones = await Promise.all(
    [1, 2, 3, 4].map((n) =>
      lab.sipp.phone({ register: [`agent${n}`], ringMs: n === 1 ? 'forever' : 100, media: 'echo', mediaCalls: 2 }),
    ),
  );
  const customer = await lab.sipp.phone({ port: lab.ports.trunk, ringMs: 'forever', media: 'none' });
  for (const [i, moment] of (['rings', 'talks', 'held'] as const).entries())
    await lab.sipp.caller({ calls: [{ from: NUMBERS[moment], to: scene.dids[i]! }], mediaCalls: 1 });
  await company.call('POST', '/v1/calls', {
    headers: { 'idempotency-key': 'before' },
    body: { agentId: company.agentIds[3], to: NUMBERS.clicked, lineId: company.lineId },
  });
  const held = await scene.record(NUMBERS.held, 'a talk', ({ status }) => status === 'answered');
  await company.call('POST', `/v1/calls/${held.id}/hold`);
  const status = { rings: 'ringing', talks: 'answered', held: 'held', clicked: 'ringing' };
  for (const moment of Object.keys(NUMBERS) as Moment[])
    before[moment] = await scene.record(
      NUMBERS[moment],
      `a call that is ${status[moment]}`,
      (call) => call.status === status[moment] && (call.answeredAt === null || call.recordings.length > 0),
    );
  const answeredAt = Date.parse(before.held.answeredAt ?? '');
  await waitFor(() => Date.now() - answeredAt > 3_000, { what: 'three seconds of talk' });

  killedAt = Date.now();
  await lab.asterisk.kill('SIGKILL');
  await lab.asterisk.restart();
  const backAt = Date.now();
  for (const moment of Object.keys(NUMBERS) as Moment[]) after[moment] = await scene.ended(NUMBERS[moment]);
  closedMs = Date.now() - backAt;
  await customer.stop();
});
afterAll(() => scene?.end());

describe('calls whose PBX is killed and started again', () => {
  it('are closed soon after its return, at the moment of the kill, by nobody whom the record could name', () => {
    expect(closedMs).toBeLessThan(CLOSED_MS);
    for (const call of Object.values(after)) {
      expect(call).toMatchObject({ estimated: true, hangup: { by: 'unknown', text: 'the PBX was restarted' } });
      expect(Math.abs(Date.parse(call.endedAt ?? '') - killedAt)).toBeLessThan(1_000);
      expect(call.participants).toHaveLength(1);
      for (const { endedAt } of call.legs) expect(endedAt).toBe(call.endedAt);
    }
  });

  it.each([
    ['rings', 'inbound', 'missed', 'node-restart', ['started', 'ringing', 'ended']],
    ['clicked', 'outbound', 'failed', 'node-restart', ['started', 'ringing', 'ended']],
    ['talks', 'inbound', 'answered', 'talked', ['started', 'ringing', 'answered', ...RECORDED, 'ended', ...LOST]],
    [
      'held',
      'inbound',
      'answered',
      'talked',
      ['started', 'ringing', 'answered', ...RECORDED, 'held', 'ended', ...LOST],
    ],
  ] as const)('are told as they were: who %s', async (moment, direction, outcome, outcomeReason, types) => {
    const { answeredAt } = before[moment];
    const call = await scene.record(NUMBERS[moment], 'the recording to be reported', ({ recordings }) =>
      recordings.every(({ state }) => state === 'failed'),
    );
    const role = moment === 'rings' ? 'rang' : 'answered';
    const agentId = scene.company.agentIds[Object.keys(NUMBERS).indexOf(moment)];
    expect(call).toMatchObject({ direction, outcome, outcomeReason, answeredAt, participants: [{ role, agentId }] });
    const talkedMs = answeredAt === null ? 0 : killedAt - Date.parse(answeredAt);
    expect(Math.abs(call.talkSeconds * 1_000 - talkedMs)).toBeLessThan(1_000);
    expect(call.participants[0]?.talkSeconds).toBe(call.talkSeconds);
    // What the PBX wrote until then stays there.
    expect(call.recordings.map(({ failure }) => failure)).toEqual(
      answeredAt === null ? [] : ['The file is incomplete: its header tells another length.'],
    );
    const spool = readdirSync(join(scene.lab.dir, 'asterisk/spool/recording'));
    expect(spool.filter((name) => name.includes(call.id))).toHaveLength(call.recordings.length);
    expect(await scene.eventTypes(call)).toEqual(types);
  });

  it('are no hindrance to the next one', async () => {
    await connected(scene.ringline, scene.company.nodeId);
    const phone = phones[1]!;
    await phone.register();
    const from = '+493023125305';
    const caller = await scene.lab.sipp.caller({ calls: [{ from, to: scene.dids[1]! }], mediaCalls: 1, talkMs: 1_000 });
    await caller.done;
    const call = await scene.ended(from);
    expect(call).toMatchObject({ outcome: 'answered', estimated: false, hangup: { by: 'remote' } });
    expect(
      await scene.disagreements(call, { remote: (await caller.calls())[0], agents: (await phone.calls()).slice(-1) }),
    ).toEqual([]);
    await scene.record(from, 'its recording', ({ recordings }) => recordings[0]?.state === 'ready');
  });
});
