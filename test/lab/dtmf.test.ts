import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connected, foundCompany, type Company } from '../../lab/company.js';
import { startRingline, type LabRingline } from '../../lab/ringline.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';

let lab: Lab;
let ringline: LabRingline;
let company: Company;

beforeAll(async () => {
  lab = await startLab();
  ringline = await startRingline(lab);
  company = await foundCompany(lab, ringline);
});
afterAll(async () => {
  await ringline?.stop();
  await lab?.stop();
});

describe('digits by the API', () => {
  it('reach the other party once and in order, and not the agent', async () => {
    const [phone, customer] = [await lab.baresip.phone('agent1'), await lab.baresip.customer('+4930111222')];
    const outgoing = await customer.dial(company.did);
    const incoming = await phone.incoming();
    const [{ id }] = (await company.call('GET', '/v1/calls?limit=1')).body.items as [{ id: string }];
    const send = (body: unknown) => company.call('POST', `/v1/calls/${id}/dtmf`, { allow: true, body });
    const early = await send({ digits: '1' });
    expect(early).toMatchObject({ status: 409, body: { type: expect.stringContaining('/call-not-answered') } });
    await incoming.answer();
    await waitFor(async () => (await company.call('GET', `/v1/calls/${id}`)).body.status === 'answered', {
      what: 'the parties to talk',
    });
    for (const digits of ['', '12 3', 'a', '1'.repeat(33), 'E', 12])
      expect(await send({ digits })).toMatchObject({ status: 400, body: { field: 'digits' } });
    const [one, two] = await Promise.all([send({ digits: '19#' }), send({ digits: 'D*' })]);
    expect([one?.status, two?.status]).toEqual([202, 202]);
    const heard = () =>
      outgoing.events
        .filter(({ type }) => type === 'digit')
        .map(({ reason }) => reason)
        .join('');
    await waitFor(() => heard().length >= 5, { what: 'the digits to arrive', timeoutMs: 10_000 });
    expect(['19#D*', 'D*19#']).toContain(heard());

    // Nothing is sent again by who comes after a kill.
    await ringline.kill();
    await ringline.start();
    await ringline.ready();
    await connected(ringline, company.nodeId);
    expect((await send({ digits: '7' })).status).toBe(202);
    await waitFor(() => heard().endsWith('7'), { what: 'the last digit to arrive', timeoutMs: 10_000 });
    expect(heard()).toHaveLength(6);
    expect(incoming.events.filter(({ type }) => type === 'digit')).toEqual([]);
    const { body } = await company.call('GET', `/v1/calls/${id}/timeline`);
    const said = (body.items as { text: string }[]).map(({ text }) => text).filter((text) => text.includes('digit'));
    expect(said).toContain('The API asked to send 3 digits.');
    expect(said.join(' ')).not.toContain('19#');

    await outgoing.hangup();
    await waitFor(async () => (await company.call('GET', `/v1/calls/${id}`)).body.status === 'ended', {
      what: 'the record to end',
    });
    expect(await send({ digits: '1' })).toMatchObject({
      status: 409,
      body: { type: expect.stringContaining('/call-ended') },
    });
    await Promise.all([phone.stop(), customer.stop()]);
  });
});
