import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startReferPhone, type ReferPhone } from '../../lab/refer-phone.js';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';
import {
  agrees,
  aim,
  BACK,
  both,
  company,
  DONE,
  DONE_AFTER_HOLD,
  endScene,
  eventTypes,
  hears,
  isAnswered,
  lab,
  music,
  nothingLeft,
  phones,
  restart,
  rolesOf,
  setScene,
  spanOf,
  talk,
} from './transfer-scene.js';

// By the keys of the phone: REFER, which Asterisk leaves to Ringline.
let desk: ReferPhone;
beforeAll(async () => {
  await setScene({ phoneTransfers: 'ringline', agents: [1, 2, 3, 4] });
  desk = await startReferPhone(lab.asterisk.sipPort, 'agent4');
});
afterAll(async () => {
  desk?.stop();
  await endScene();
});

describe('a blind transfer by phone', () => {
  it('takes the customer to another agent, as one by the API does', async () => {
    const call = await talk();
    await call.first.hold();
    await call.first.blindTransfer('agent2');
    const second = await phones[1]!.incoming();
    expect(second.peer).toMatch(/^\+4930231253/);
    await call.sound(music, 'the customer to hear music');
    await second.answer();
    expect((await call.first.waitFor('closed')).reason).toBe('Call transfered');
    await call.status('answered');
    await call.sound(both('agent2'), 'customer and target to be heard');
    await second.hangup();
    await call.customer.waitFor('closed');
    const record = await call.over('phone-transfer-blind-to-an-agent');
    expect(record).toMatchObject({ outcome: 'answered', outcomeReason: 'talked', hangup: { by: 'agent' } });
    expect(rolesOf(record)).toEqual([
      ['PJSIP/agent1', 'transferred'],
      ['PJSIP/agent2', 'answered'],
    ]);
    // The phone's own hold came before it.
    expect(await eventTypes(call.id)).toEqual(DONE_AFTER_HOLD);
    await agrees(record, call.customer, [
      { device: 'PJSIP/agent1', call: call.first },
      { device: 'PJSIP/agent2', call: second },
    ]);
    expect(await call.timeline()).toContain('PJSIP/agent1 asked by its keys to transfer the other party to agent2.');
  });

  it('reaches an outside number by the line’s trunk', async () => {
    const mobile = await lab.sipp.phone({ port: lab.ports.trunk, ringMs: 300, media: 'echo' });
    const call = await talk();
    // As people dial it: the record and the trunk have the whole number.
    await call.first.blindTransfer('03023125799');
    const taken = await mobile.call(({ answeredAt }) => answeredAt !== undefined, 'the outside party to answer');
    expect(taken).toMatchObject({ calledUser: '+493023125799', fromUser: company.number });
    await call.first.waitFor('closed');
    await call.status('answered');
    await call.customer.hangup();
    const record = await call.over('phone-transfer-blind-to-an-outside-number');
    expect(record.participants[1]).toMatchObject({
      agentId: null,
      number: { e164: '+493023125799' },
      role: 'answered',
    });
    expect(record.participants.reduce((sum, { talkSeconds }) => sum + talkSeconds, 0)).toBe(record.talkSeconds);
    await mobile.stop();
  });

  it('changes nothing when it may not be, and the phone hears so; the target’s refusal it hears too', async () => {
    await aim(3);
    const customer = await lab.baresip.customer('+493023125360');
    const outgoing = await customer.dial(company.did);
    await outgoing.waitFor('established');
    await aim(0);
    const { id } = await waitFor(
      async () => (await company.call('GET', '/v1/calls?limit=1')).body.items.find(isAnswered) as Call | undefined,
      { what: 'the parties to talk' },
    );
    const read = async (): Promise<Call> => (await company.call('GET', `/v1/calls/${id}`)).body as Call;
    const answerTo = async (to: string): Promise<string | undefined> => {
      const before = desk.told.length;
      desk.refer(to);
      const isFinal = (line: string): boolean => !line.startsWith('1');
      await waitFor(() => desk.told.slice(before).some(isFinal), { what: `an answer to the REFER to ${to}` });
      return desk.told.slice(before).find(isFinal);
    };
    for (const to of ['112', 'nobody', '+8835100012345', 'agent4']) expect(await answerTo(to), to).toMatch(/^603 /);
    expect(await read()).toMatchObject({ status: 'answered', participants: [{ role: 'answered' }] });
    expect(await eventTypes(id)).toEqual(['started', 'answered']);

    const refused = answerTo('agent2');
    await (await phones[1]!.incoming()).reject();
    expect(await refused).toMatch(/^503 /);
    await waitFor(async () => isAnswered(await read()), { what: 'the customer to be back' });
    expect(desk.isTalking).toBe(true);
    const busy = answerTo('agent3');
    const third = await phones[2]!.incoming();
    // While the target rings there is no second one, and the API can cancel it.
    expect(await answerTo('agent2')).toMatch(/^603 /);
    await company.call('POST', `/v1/calls/${id}/transfer/cancel`);
    await third.waitFor('closed');
    expect(await busy).toMatch(/^[56]03 /);
    await waitFor(async () => isAnswered(await read()), { what: 'the customer to be back again' });

    desk.hangup();
    await outgoing.waitFor('closed');
    await waitFor(async () => (await read()).status === 'ended', { what: 'the end' });
    await nothingLeft(id);
    const record = await read();
    expect(record).toMatchObject({ outcome: 'answered', hangup: { by: 'agent' } });
    expect(rolesOf(record)).toEqual([
      ['PJSIP/agent4', 'answered'],
      ['PJSIP/agent2', 'rang'],
      ['PJSIP/agent3', 'rang'],
    ]);
    expect(record.participants[0]?.talkSeconds).toBe(record.talkSeconds);
    expect(Math.abs(record.talkSeconds * 1_000 - (spanOf(outgoing).until - spanOf(outgoing).from))).toBeLessThan(1_500);
    await customer.stop();
  });

  it('goes on over a kill of Ringline while the target rings', async () => {
    const call = await talk();
    await call.first.blindTransfer('agent2');
    const second = await phones[1]!.incoming();
    await waitFor(async () => (await call.timeline()).includes('PJSIP/agent2 rang.'), {
      what: 'the ring in the record',
    });
    await restart();
    await second.answer();
    expect((await call.first.waitFor('closed')).reason).toBe('Call transfered');
    await call.sound(both('agent2'), 'customer and target to be heard');
    await call.customer.hangup();
    const record = await call.over();
    expect(await eventTypes(call.id)).toEqual(DONE);
    await agrees(record, call.customer, [
      { device: 'PJSIP/agent1', call: call.first },
      { device: 'PJSIP/agent2', call: second },
    ]);
  });
});

describe('an attended transfer by phone', () => {
  it('takes the customer to an agent with whom the phone talks by the dial plan', async () => {
    const call = await talk();
    const consultation = await phones[0]!.dial('agent2');
    const second = await phones[1]!.incoming();
    await second.answer();
    await consultation.waitFor('established');
    await call.status('held');
    const askedAt = Date.now();
    await call.first.attendedTransfer(consultation);
    expect((await call.first.waitFor('closed')).reason).toBe('Call transfered');
    await consultation.waitFor('closed');
    await call.status('answered');
    await Promise.all([hears('agent2'), hears('trunk')]);
    await second.hangup();
    await call.customer.waitFor('closed');
    const record = await call.over('phone-transfer-attended-to-an-agent');
    expect(record).toMatchObject({ outcome: 'answered', hangup: { by: 'agent' }, estimated: false });
    expect(rolesOf(record)).toEqual([
      ['PJSIP/agent1', 'transferred'],
      ['PJSIP/agent2', 'answered'],
    ]);
    expect(record.participants.map(({ agentId }) => agentId)).toEqual(company.agentIds.slice(0, 2));
    expect(await eventTypes(call.id)).toEqual(DONE_AFTER_HOLD);
    const [before = NaN, after = NaN] = record.participants.map(({ talkSeconds }) => talkSeconds);
    expect(before + after).toBe(record.talkSeconds);
    expect(Math.abs(after * 1_000 - (spanOf(call.customer).until - askedAt))).toBeLessThan(2_000);
  });

  it('takes him to an outside party; the switch ends who is left when the other hangs up', async () => {
    const mobile = await lab.sipp.phone({ port: lab.ports.trunk, ringMs: 100, media: 'echo' });
    const call = await talk();
    const consultation = await phones[0]!.dial('+493023125799');
    await consultation.waitFor('established');
    await call.first.attendedTransfer(consultation);
    await call.first.waitFor('closed');
    await call.status('answered');
    await call.sound((sent) => sent('trunk') > 25, 'the customer to be sent sound');
    await call.customer.hangup();
    await mobile.call(({ byeAt }) => byeAt !== undefined, 'the outside party to be let go');
    const record = await call.over('phone-transfer-attended-to-an-outside-number');
    expect(record.participants.map(({ role, number }) => [role, number?.e164])).toEqual([
      ['transferred', undefined],
      ['answered', '+493023125799'],
    ]);
    expect(record.participants.reduce((sum, { talkSeconds }) => sum + talkSeconds, 0)).toBe(record.talkSeconds);
    await mobile.stop();
  });

  it.each(['is busy', 'is called off'])(
    'that comes to nothing as the target %s leaves the call as it was',
    async (how) => {
      const call = await talk();
      const consultation = await phones[0]!.dial('agent2');
      const second = await phones[1]!.incoming();
      if (how === 'is busy') await second.reject();
      else {
        await second.answer();
        await consultation.waitFor('established');
        await consultation.hangup();
      }
      await consultation.waitFor('closed');
      await call.first.resume();
      await call.status('answered');
      await call.sound(both('agent1'), 'both to be heard again');
      await call.first.hangup();
      await call.customer.waitFor('closed');
      const record = await call.over();
      expect(await eventTypes(call.id)).toEqual(BACK);
      await agrees(record, call.customer, [{ device: 'PJSIP/agent1', call: call.first }]);
    },
  );
});
