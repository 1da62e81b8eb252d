import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../lab/wait-for.js';
import {
  both,
  company,
  endScene,
  eventTypes,
  hears,
  lab,
  passOnAsked,
  phones,
  ringline,
  rolesOf,
  setScene,
  spanOf,
  talk,
} from './transfer-scene.js';

// By the keys of the phone, where Asterisk carries it out by itself: what this version is left with unless told otherwise.
beforeAll(() => setScene());
afterAll(endScene);

const MOVED = ['started', 'ringing', 'answered', 'transferred', 'held', 'resumed', 'ended'];

describe('a transfer by phone that the PBX carries out', () => {
  it('is what the node’s health tells of', async () => {
    const { body } = await ringline.call('GET', `/v1/pbx-nodes/${company.nodeId}/health`);
    expect(body).toMatchObject({ status: 'up', phoneTransfers: 'pbx' });
  });

  it('takes the customer blindly to another agent, and the record follows', async () => {
    const call = await talk();
    await call.first.blindTransfer('agent2');
    const second = await phones[1]!.incoming();
    await call.first.waitFor('closed');
    await call.status('held');
    await second.answer();
    await waitFor(async () => rolesOf(await call.read())[1]?.[1] === 'answered', { what: 'the second to have him' });
    await Promise.all([hears('agent2'), hears('trunk')]);
    await call.customer.hangup();
    await second.waitFor('closed');
    const record = await call.over('pbx-transfer-blind-to-an-agent');
    expect(record).toMatchObject({ outcome: 'answered', hangup: { by: 'remote' }, estimated: false });
    expect(rolesOf(record)).toEqual([
      ['PJSIP/agent1', 'transferred'],
      ['PJSIP/agent2', 'answered'],
    ]);
    expect(record.participants.map(({ agentId }) => agentId)).toEqual(company.agentIds.slice(0, 2));
    expect(await eventTypes(call.id)).toEqual(MOVED);
    const [before = NaN, after = NaN] = record.participants.map(({ talkSeconds }) => talkSeconds);
    expect(before + after).toBe(record.talkSeconds);
    expect(Math.abs(after * 1_000 - (spanOf(second).until - spanOf(second).from))).toBeLessThan(1_500);
  });

  it('takes him to an outside number, and ends for both when one hangs up, though Ringline is away', async () => {
    const mobile = await lab.sipp.phone({ port: lab.ports.trunk, ringMs: 300, media: 'echo' });
    const call = await talk();
    await call.first.blindTransfer('+493023125799');
    await mobile.call(({ answeredAt }) => answeredAt !== undefined, 'the outside party to answer');
    await waitFor(async () => (await call.read()).participants[1]?.role === 'answered', {
      what: 'the outside party to have him',
    });
    // The handlers that end one with the other are given with the answer.
    await call.sound((sent) => sent('trunk') > 25, 'the customer to be sent sound');
    await ringline.kill();
    await call.customer.hangup();
    await mobile.call(({ byeAt }) => byeAt !== undefined, 'the outside party to be let go');
    await ringline.start();
    await ringline.ready();
    const record = await call.over();
    expect(record.participants[1]).toMatchObject({
      agentId: null,
      number: { e164: '+493023125799' },
      role: 'answered',
    });
    expect(record.participants.reduce((sum, { talkSeconds }) => sum + talkSeconds, 0)).toBe(record.talkSeconds);
    await mobile.stop();
  });

  it('gives the caller to the fall-back when nobody takes him', async () => {
    const call = await talk();
    await call.first.blindTransfer('agent2');
    const second = await phones[1]!.incoming();
    await call.first.waitFor('closed');
    await second.reject();
    await waitFor(
      async () => (await call.timeline()).some((text) => text.startsWith('Ringline gave the caller back')),
      {
        what: 'the caller to be given back',
      },
    );
    await call.customer.waitFor('closed', 30_000);
    const record = await call.over();
    expect(rolesOf(record).map(([, role]) => role)).toEqual(['transferred', 'rang']);
    expect(record.participants[0]?.talkSeconds).toBe(record.talkSeconds);
  });

  it('takes him to an agent with whom the phone talks', async () => {
    const call = await talk();
    const consultation = await phones[0]!.dial('agent2');
    const second = await phones[1]!.incoming();
    await second.answer();
    await consultation.waitFor('established');
    const askedAt = Date.now();
    await call.first.attendedTransfer(consultation);
    await call.first.waitFor('closed');
    await waitFor(async () => rolesOf(await call.read())[1]?.[1] === 'answered', { what: 'the second to have him' });
    await Promise.all([hears('agent2'), hears('trunk')]);
    await second.hangup();
    await call.customer.waitFor('closed');
    const record = await call.over('pbx-transfer-attended-to-an-agent');
    expect(rolesOf(record)).toEqual([
      ['PJSIP/agent1', 'transferred'],
      ['PJSIP/agent2', 'answered'],
    ]);
    const [before = NaN, after = NaN] = record.participants.map(({ talkSeconds }) => talkSeconds);
    expect(before + after).toBe(record.talkSeconds);
    expect(Math.abs(after * 1_000 - (spanOf(call.customer).until - askedAt))).toBeLessThan(2_000);
  });

  it('takes him to an agent whose extension is not the name of his phone', async () => {
    const call = await talk();
    const third = await passOnAsked(call, 2);
    await waitFor(async () => rolesOf(await call.read())[1]?.[1] === 'answered', { what: 'the third to have him' });
    await third.hangup();
    await call.customer.waitFor('closed');
    expect(rolesOf(await call.over())).toEqual([
      ['PJSIP/agent1', 'transferred'],
      ['PJSIP/agent3', 'answered'],
    ]);
  });

  it('may be followed by one by the API', async () => {
    const call = await talk();
    await call.first.blindTransfer('agent2');
    const second = await phones[1]!.incoming();
    await second.answer();
    await waitFor(async () => rolesOf(await call.read())[1]?.[1] === 'answered', { what: 'the second to have him' });
    expect((await call.post('transfer', { agentId: company.agentIds[2] })).status).toBe(202);
    const third = await phones[2]!.incoming();
    await third.answer();
    await second.waitFor('closed');
    await call.sound(both('agent3'), 'customer and target to be heard');
    await call.customer.hangup();
    await third.waitFor('closed');
    const record = await call.over();
    expect(rolesOf(record).map(([, role]) => role)).toEqual(['transferred', 'transferred', 'answered']);
  });
});
