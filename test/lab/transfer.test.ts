import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';
import {
  agrees,
  BACK,
  both,
  company,
  DONE,
  eventTypes,
  isAnswered,
  lab,
  music,
  nothingLeft,
  phones,
  refusedAs,
  restart,
  ringline,
  rolesOf,
  talk,
  toAgent,
  setScene,
  spanOf,
  endScene,
} from './transfer-scene.js';

beforeAll(() => setScene());
afterAll(endScene);

describe('a blind transfer by the API', () => {
  it('takes the customer to another agent: one record, in which each has what he talked', async () => {
    const call = await talk();
    await call.sound(both('agent1'), 'both to be heard');
    expect(await call.post('transfer', toAgent(1))).toMatchObject({ status: 202, body: { status: 'held' } });
    const second = await phones[1]!.incoming();
    expect(second.peer).toMatch(/^\+4930231253/);
    await call.sound(music, 'the customer to hear music');
    for (const action of ['hold', 'unhold', 'mute', 'unmute'])
      expect(await call.post(action)).toMatchObject(refusedAs(409, 'transfer-conflict'));
    expect(await call.post('dtmf', { digits: '1' })).toMatchObject(refusedAs(409, 'transfer-conflict'));
    expect(await call.post('transfer', toAgent(2))).toMatchObject(refusedAs(409, 'transfer-conflict'));
    expect(await call.post('transfer/complete')).toMatchObject(refusedAs(409, 'transfer-conflict'));
    await second.answer();
    await call.first.waitFor('closed');
    await call.status('answered');
    await call.sound(both('agent2'), 'customer and target to be heard');
    await second.hangup();
    await call.customer.waitFor('closed');
    const record = await call.over();
    expect(await eventTypes(call.id)).toEqual(DONE);
    expect(record).toMatchObject({ outcome: 'answered', outcomeReason: 'talked', hangup: { by: 'agent' } });
    expect(rolesOf(record)).toEqual([
      ['PJSIP/agent1', 'transferred'],
      ['PJSIP/agent2', 'answered'],
    ]);
    await agrees(record, call.customer, [
      { device: 'PJSIP/agent1', call: call.first },
      { device: 'PJSIP/agent2', call: second },
    ]);
  });

  it('goes on from one to the next, and back to the first', async () => {
    const call = await talk();
    const turns = [{ device: 'PJSIP/agent1', call: call.first }];
    for (const agent of [1, 2, 0]) {
      expect((await call.post('transfer', toAgent(agent))).status).toBe(202);
      const taken = await phones[agent]!.incoming();
      await taken.answer();
      await call.status('answered');
      await call.sound(both(`agent${agent + 1}`), 'the customer and the next to be heard');
      turns.push({ device: `PJSIP/agent${agent + 1}`, call: taken });
    }
    expect(await call.post('transfer', toAgent(0))).toMatchObject(refusedAs(409, 'transfer-conflict'));
    await call.customer.hangup();
    await turns.at(-1)!.call.waitFor('closed');
    const record = await call.over();
    expect(record.hangup?.by).toBe('remote');
    expect(rolesOf(record).map(([, role]) => role)).toEqual(['transferred', 'transferred', 'transferred', 'answered']);
    expect((await eventTypes(call.id)).filter((type) => type === 'transferred')).toHaveLength(3);
    await agrees(record, call.customer, turns);
  });

  it.each(['rejects', 'does not answer'])('comes back to the agent when the target %s', async (what) => {
    const call = await talk();
    expect((await call.post('transfer', toAgent(1, { ringSeconds: 5 }))).status).toBe(202);
    const second = await phones[1]!.incoming();
    if (what === 'rejects') await second.reject();
    await call.status('answered');
    await second.waitFor('closed');
    await call.sound(both('agent1'), 'both to be heard again');
    // The agent hangs up, and the customer is not left behind.
    await call.first.hangup();
    await call.customer.waitFor('closed');
    const record = await call.over();
    expect(await eventTypes(call.id)).toEqual(BACK);
    expect(record.hangup?.by).toBe('agent');
    expect(rolesOf(record)).toEqual([
      ['PJSIP/agent1', 'answered'],
      ['PJSIP/agent2', 'rang'],
    ]);
    await agrees(record, call.customer, [{ device: 'PJSIP/agent1', call: call.first }]);
    const reason = what === 'rejects' ? 'agent-busy' : 'agent-no-answer';
    expect(await call.timeline()).toContain(`The transfer did not come about (${reason}).`);
  });

  it('comes back at once when no phone of the target is registered, and when it is cancelled', async () => {
    const call = await talk();
    const { body } = await company.call('POST', '/v1/agents', {
      body: { name: 'Nobody', devices: [{ kind: 'sip', pbxNodeId: company.nodeId, endpoint: 'agent9' }] },
    });
    expect((await call.post('transfer', { agentId: body.id })).status).toBe(202);
    await call.status('answered');
    expect(await call.timeline()).toContain('The transfer did not come about (device-unreachable).');
    expect((await call.post('transfer', toAgent(1))).status).toBe(202);
    const second = await phones[1]!.incoming();
    expect((await call.post('transfer/cancel')).status).toBe(202);
    await second.waitFor('closed');
    await call.status('answered');
    expect(await call.post('transfer/cancel')).toMatchObject(refusedAs(409, 'transfer-conflict'));
    await call.sound(both('agent1'), 'both to be heard again');
    await call.post('hangup');
    const record = await call.over();
    expect(record.hangup?.by).toBe('api');
    await agrees(record, call.customer, [{ device: 'PJSIP/agent1', call: call.first }]);
  });

  it('does not need the agent: he hangs up while the target rings', async () => {
    const call = await talk();
    await call.post('transfer', toAgent(1));
    const second = await phones[1]!.incoming();
    await call.first.hangup();
    await call.first.waitFor('closed');
    await waitFor(async () => (await call.read()).participants[0]?.leftAt !== undefined, {
      what: 'the agent to be gone',
    });
    expect((await call.read()).status).toBe('held');
    await second.answer();
    await call.status('answered');
    await call.sound(both('agent2'), 'customer and target to be heard');
    await call.customer.hangup();
    await second.waitFor('closed');
    const record = await call.over();
    expect(await eventTypes(call.id)).toEqual(DONE);
    expect(record.hangup?.by).toBe('remote');
    await agrees(record, call.customer, [
      { device: 'PJSIP/agent1', call: call.first },
      { device: 'PJSIP/agent2', call: second },
    ]);
  });

  it('gives the customer to the fall-back when neither target nor agent is there', async () => {
    const call = await talk();
    await call.post('transfer', toAgent(1));
    const second = await phones[1]!.incoming();
    await call.first.hangup();
    await call.first.waitFor('closed');
    await second.reject();
    await waitFor(
      async () => (await call.timeline()).includes('Ringline gave the caller back to the dial plan (agent-busy).'),
      {
        what: 'the caller to be given back',
      },
    );
    const caller = (await call.read()).legs.find(({ side }) => side === 'remote')?.id;
    await waitFor(
      async () =>
        (await lab.asterisk.cel()).some(
          ({ uniqueId, context, app }) => uniqueId === caller && context === 'ringline-fallback' && app === 'Playback',
        ),
      { what: 'the fall-back to take the caller' },
    );
    await call.customer.waitFor('closed', 30_000);
    const record = await call.over();
    expect(record).toMatchObject({ outcome: 'answered', hangup: { by: 'system' } });
    await agrees(record, call.customer, [{ device: 'PJSIP/agent1', call: call.first }]);
  });

  it('ends with the customer, who hangs up while the target rings', async () => {
    const call = await talk();
    await call.post('transfer', toAgent(1));
    const second = await phones[1]!.incoming();
    await call.customer.hangup();
    await Promise.all([second.waitFor('closed'), call.first.waitFor('closed')]);
    const record = await call.over();
    expect(record.hangup?.by).toBe('remote');
    expect(await eventTypes(call.id)).toEqual(['started', 'ringing', 'answered', 'held', 'ended']);
    await agrees(record, call.customer, [{ device: 'PJSIP/agent1', call: call.first }]);
  });

  it('reaches an outside number by the line’s trunk, by the rules of a click-to-call', async () => {
    const mobile = await lab.sipp.phone({ port: lab.ports.trunk, ringMs: 300, media: 'echo' });
    const call = await talk();
    const to = '+493023125799';
    expect(await call.post('transfer', { to: '112' })).toMatchObject(refusedAs(422, 'number-blocked'));
    expect(await call.post('transfer', { to: '12' })).toMatchObject({ status: 422, body: { field: 'to' } });
    await company.call('POST', '/v1/blocked-numbers', { body: { pattern: '+493023125798' } });
    expect(await call.post('transfer', { to: '+493023125798' })).toMatchObject(refusedAs(422, 'number-blocked'));
    for (const body of [{}, { to, ...toAgent(1) }, { to, mode: 'warm' }, { to, ringSeconds: 4 }])
      expect((await call.post('transfer', body)).status).toBe(400);
    expect(await call.post('transfer', { agentId: company.tenantId })).toMatchObject(refusedAs(404, 'not-found'));
    expect((await call.read()).status).toBe('answered');

    expect((await call.post('transfer', { to })).status).toBe(202);
    const taken = await mobile.call(({ answeredAt }) => answeredAt !== undefined, 'the outside party to answer');
    expect(taken).toMatchObject({ calledUser: to, fromUser: company.number });
    await call.first.waitFor('closed');
    await call.status('answered');
    await waitFor(async () => (await call.read()).participants[1]?.role === 'answered', {
      what: 'the outside party to have it',
    });
    await call.customer.hangup();
    const record = await call.over();
    const { byeAt = NaN, answeredAt = NaN } = await mobile.call(({ byeAt: at }) => at !== undefined, 'its end');
    expect(record.participants[1]).toMatchObject({
      agentId: null,
      device: null,
      number: { e164: to },
      role: 'answered',
    });
    const [agent, outside] = record.participants;
    expect((agent?.talkSeconds ?? 0) + (outside?.talkSeconds ?? 0)).toBe(record.talkSeconds);
    expect(Math.abs((outside?.talkSeconds ?? 0) * 1000 - (byeAt - answeredAt))).toBeLessThan(1_500);
    await mobile.stop();
  });
});

describe('a click-to-call that is transferred', () => {
  it('goes to another agent, and the first one can click again', async () => {
    const outside = await lab.sipp.phone({ port: lab.ports.trunk, ringMs: 300, media: 'echo' });
    const click = () =>
      company.call('POST', '/v1/calls', {
        allow: true,
        headers: { 'idempotency-key': randomUUID() },
        body: { agentId: company.agentIds[0], to: '+493023125797' },
      });
    const { id } = (await click()).body as Call;
    const first = await phones[0]!.incoming();
    await first.answer();
    const read = async (): Promise<Call> => (await company.call('GET', `/v1/calls/${id}`)).body as Call;
    await waitFor(async () => isAnswered(await read()), { what: 'the customer to answer' });
    expect(await click()).toMatchObject(refusedAs(409, 'agent-busy'));
    expect((await company.call('POST', `/v1/calls/${id}/transfer`, { body: toAgent(1) })).status).toBe(202);
    const second = await phones[1]!.incoming();
    expect(second.peer).toBe('+493023125797');
    await second.answer();
    await first.waitFor('closed');
    await waitFor(async () => isAnswered(await read()), { what: 'the target to have the customer' });
    const next = await click();
    expect(next.status).toBe(201);
    await company.call('POST', `/v1/calls/${next.body.id}/hangup`);
    await second.hangup();
    await waitFor(async () => (await read()).status === 'ended', { what: 'the end' });
    await nothingLeft(id);
    const record = await read();
    expect(rolesOf(record).map(([, role]) => role)).toEqual(['transferred', 'answered']);
    expect(record).toMatchObject({ outcome: 'answered', hangup: { by: 'agent' }, estimated: false });
    const customer = (await outside.calls()).find(({ calledUser }) => calledUser === '+493023125797');
    expect(Math.abs(Date.parse(record.endedAt ?? '') - (customer?.byeAt ?? NaN))).toBeLessThan(1_000);
    await outside.stop();
  });
});

describe('a kill of Ringline during a blind transfer', () => {
  it('changes nothing while the target rings', async () => {
    const call = await talk();
    await call.post('transfer', toAgent(1));
    const second = await phones[1]!.incoming();
    await waitFor(async () => (await call.timeline()).includes('PJSIP/agent2 rang.'), {
      what: 'the ring in the record',
    });
    await restart();
    expect((await call.read()).status).toBe('held');
    await second.answer();
    await call.status('answered');
    await call.sound(both('agent2'), 'customer and target to be heard');
    await call.first.waitFor('closed');
    await call.customer.hangup();
    const record = await call.over();
    expect(await eventTypes(call.id)).toEqual(DONE);
    expect(phones[1]!.calls.filter((one) => one.events.some(({ at }) => at >= second.events[0]!.at))).toHaveLength(1);
    await agrees(record, call.customer, [
      { device: 'PJSIP/agent1', call: call.first },
      { device: 'PJSIP/agent2', call: second },
    ]);
  });

  it.each([0, 5, 10, 20, 40, 80])('%i ms after it was asked for loses neither it nor the customer', async (ms) => {
    const call = await talk();
    const begun = Date.now();
    void call.post('transfer', toAgent(1, { ringSeconds: 15 })).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, ms));
    await restart();
    const asked = (await call.timeline()).some((text) => text.startsWith('The API asked to transfer'));
    const second = asked ? await phones[1]!.incoming(20_000).catch(() => null) : null;
    if (second !== null) {
      await second.answer();
      await call.first.waitFor('closed');
      await call.sound(both('agent2'), 'customer and target to be heard');
    } else {
      await call.status('answered');
      await call.sound(both('agent1'), 'both to be heard');
    }
    // Killed between writing down that it dials and the dial, it never dials: nobody is dialled twice.
    if (asked && second === null) {
      const told = await call.timeline();
      expect(told).toContain('Ringline dialled PJSIP/agent2.');
      expect(told).toContain('The transfer did not come about (device-unreachable).');
      expect(told).not.toContain('PJSIP/agent2 rang.');
    }
    await call.customer.hangup();
    const record = await call.over();
    const roles = second !== null ? ['transferred', 'answered'] : asked ? ['answered', 'requested'] : ['answered'];
    expect(record.participants.map(({ role }) => role)).toEqual(roles);
    expect(record.participants.reduce((sum, { talkSeconds }) => sum + talkSeconds, 0)).toBe(record.talkSeconds);
    const rung = phones[1]!.calls.filter(({ events }) => (events[0]?.at ?? 0) > begun);
    expect(rung).toHaveLength(second === null ? 0 : 1);
  });

  it('is made up for when the target answers, and the agent leaves, meanwhile', async () => {
    const call = await talk();
    await call.post('transfer', toAgent(1));
    const second = await phones[1]!.incoming();
    await waitFor(async () => (await call.timeline()).includes('PJSIP/agent2 rang.'), {
      what: 'the ring in the record',
    });
    await ringline.kill();
    await second.answer();
    await call.first.hangup();
    await call.first.waitFor('closed');
    expect(call.customer.events.some(({ type }) => type === 'closed')).toBe(false);
    await ringline.start();
    await ringline.ready();
    await waitFor(async () => (await call.read()).participants[1]?.role === 'answered', {
      what: 'the target to have the customer',
      timeoutMs: 30_000,
    });
    await call.sound(both('agent2'), 'customer and target to be heard');
    await call.customer.hangup();
    expect(rolesOf(await call.over()).map(([, role]) => role)).toEqual(['transferred', 'answered']);
  });
});

describe('who talks after a transfer, while Ringline is away', () => {
  it.each(['customer', 'target'])('is not left in silence when the %s hangs up', async (who) => {
    const call = await talk();
    await call.post('transfer', toAgent(1));
    const second = await phones[1]!.incoming();
    await second.answer();
    await call.first.waitFor('closed');
    await call.sound(both('agent2'), 'customer and target to be heard');
    await ringline.kill();
    const [leaves, stays] = who === 'customer' ? [call.customer, second] : [second, call.customer];
    await leaves.hangup();
    await stays.waitFor('closed');
    await ringline.start();
    await ringline.ready();
    expect(rolesOf(await call.over()).map(([, role]) => role)).toEqual(['transferred', 'answered']);
  });

  it('is not left in silence either when the transfer had failed', async () => {
    const call = await talk();
    await call.post('transfer', toAgent(1));
    await (await phones[1]!.incoming()).reject();
    await call.status('answered');
    await call.sound(both('agent1'), 'both to be heard again');
    await ringline.kill();
    await call.first.hangup();
    await call.customer.waitFor('closed');
    await ringline.start();
    await ringline.ready();
    await call.over();
  });
});

describe('an attended transfer by the API', () => {
  const ATTENDED = { mode: 'attended', ringSeconds: 6 };
  const consults = (sent: (part: string) => number) => sent('agent1') > 25 && sent('agent2') > 25;

  /** A call whose second agent was called and, unless he only rings, answered. */
  async function consult({ answers = true } = {}) {
    const call = await talk();
    expect(await call.post('transfer', toAgent(1, ATTENDED))).toMatchObject({ status: 202, body: { status: 'held' } });
    const second = await phones[1]!.incoming();
    if (answers) {
      await second.answer();
      await call.sound(consults, 'the agents to hear each other');
      expect((await call.read()).status).toBe('held');
    }
    return { ...call, second };
  }

  it('is completed: the customer goes to who was consulted', async () => {
    const call = await consult();
    const completedAt = Date.now();
    expect((await call.post('transfer/complete')).status).toBe(202);
    await call.first.waitFor('closed');
    await call.status('answered');
    await call.sound(both('agent2'), 'customer and target to be heard');
    await call.customer.hangup();
    await call.second.waitFor('closed');
    const record = await call.over();
    expect(await eventTypes(call.id)).toEqual(DONE);
    expect(record).toMatchObject({ outcome: 'answered', hangup: { by: 'remote' } });
    expect(rolesOf(record)).toEqual([
      ['PJSIP/agent1', 'transferred'],
      ['PJSIP/agent2', 'answered'],
    ]);
    await agrees(record, call.customer, [
      { device: 'PJSIP/agent1', call: call.first },
      // The consultation is no talk with the customer.
      { device: 'PJSIP/agent2', call: call.second, from: completedAt },
    ]);
  });

  it('is completed before the target answers: it goes on as a blind one', async () => {
    const call = await consult({ answers: false });
    expect((await call.post('transfer/complete')).status).toBe(202);
    await call.second.answer();
    await call.first.waitFor('closed');
    await call.sound(both('agent2'), 'customer and target to be heard');
    await call.customer.hangup();
    const record = await call.over();
    expect(await eventTypes(call.id)).toEqual(DONE);
    await agrees(record, call.customer, [
      { device: 'PJSIP/agent1', call: call.first },
      { device: 'PJSIP/agent2', call: call.second },
    ]);
  });

  const back: readonly [string, boolean, (call: Awaited<ReturnType<typeof consult>>) => Promise<unknown>, string][] = [
    ['it is cancelled during the consultation', true, (call) => call.post('transfer/cancel'), 'cancelled-by-api'],
    ['it is cancelled while the target rings', false, (call) => call.post('transfer/cancel'), 'cancelled-by-api'],
    ['the target hangs up during the consultation', true, ({ second }) => second.hangup(), 'agent-hung-up'],
    ['the target is busy', false, ({ second }) => second.reject(), 'agent-busy'],
    ['the target does not answer', false, () => Promise.resolve(), 'agent-no-answer'],
  ];
  it.each(back)('goes back to the customer when %s', async (_, answers, act, reason) => {
    const call = await consult({ answers });
    await act(call);
    await call.second.waitFor('closed');
    await call.status('answered');
    await call.sound(both('agent1'), 'customer and agent to be heard again');
    await call.first.hangup();
    await call.customer.waitFor('closed');
    const record = await call.over();
    expect(await eventTypes(call.id)).toEqual(BACK);
    expect(record.hangup?.by).toBe('agent');
    expect(rolesOf(record)).toEqual([
      ['PJSIP/agent1', 'answered'],
      ['PJSIP/agent2', 'rang'],
    ]);
    expect(record.participants[1]?.talkSeconds).toBe(0);
    await agrees(record, call.customer, [{ device: 'PJSIP/agent1', call: call.first }]);
    expect(await call.timeline()).toContain(`The transfer did not come about (${reason}).`);
  });

  it('is completed by the agent who hangs up during the consultation', async () => {
    const call = await consult();
    await call.first.hangup();
    await call.status('answered');
    await call.sound(both('agent2'), 'customer and target to be heard');
    await call.second.hangup();
    await call.customer.waitFor('closed');
    const record = await call.over();
    expect(await eventTypes(call.id)).toEqual(DONE);
    expect(record.hangup?.by).toBe('agent');
    await agrees(record, call.customer, [
      { device: 'PJSIP/agent1', call: call.first },
      { device: 'PJSIP/agent2', call: call.second, from: spanOf(call.first).until },
    ]);
  });

  it('ends with the customer, who hangs up during the consultation', async () => {
    const call = await consult();
    await call.customer.hangup();
    await Promise.all([call.first.waitFor('closed'), call.second.waitFor('closed')]);
    const record = await call.over();
    expect(record).toMatchObject({ outcome: 'answered', hangup: { by: 'remote' } });
    await agrees(record, call.customer, [{ device: 'PJSIP/agent1', call: call.first }]);
  });

  it('is completed after a kill of Ringline during the consultation, which goes on meanwhile', async () => {
    const call = await consult();
    await restart();
    await call.sound(consults, 'the agents to hear each other still');
    const completedAt = Date.now();
    expect((await call.post('transfer/complete')).status).toBe(202);
    await call.first.waitFor('closed');
    await call.sound(both('agent2'), 'customer and target to be heard');
    await call.customer.hangup();
    const record = await call.over();
    expect(await eventTypes(call.id)).toEqual(DONE);
    await agrees(record, call.customer, [
      { device: 'PJSIP/agent1', call: call.first },
      { device: 'PJSIP/agent2', call: call.second, from: completedAt },
    ]);
  });
});
