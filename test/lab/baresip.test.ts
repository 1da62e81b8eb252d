import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { AsteriskVersion } from '../../lab/asterisk-configuration.js';
import { startLab, type Lab } from '../../lab/start-lab.js';

describe.each<AsteriskVersion>([16, 22])("phones at Ringline's own dial plan on Asterisk %i", (asterisk) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ asterisk, postgres: false, redis: false });
  });
  afterAll(() => lab?.stop());

  it('call each other, hold, and tell who hung up', async () => {
    const [one, other] = [await lab.baresip.phone('agent1'), await lab.baresip.phone('agent2')];
    const call = await one.dial('agent2');
    const taken = await other.incoming();
    expect(taken.peer).toBe('agent1');
    await call.waitFor('ringing');
    await taken.answer();
    await call.waitFor('established');
    await call.hold();
    await call.resume();
    await taken.hangup();
    expect((await call.waitFor('closed')).reason).toBe('Connection reset by peer');
    expect((await taken.waitFor('closed')).reason).toBe('Connection reset by user');
    expect(call.events.map(({ type }) => type)).toEqual(expect.arrayContaining(['ringing', 'established', 'media']));
    await Promise.all([one.stop(), other.stop()]);
  });

  it('take calls of customers, by themselves after a while if they are told', async () => {
    const customer = await lab.baresip.customer('+491713920001');
    const phone = await lab.baresip.phone('agent3', { answerAfterMs: 300 });
    const call = await customer.dial('direct-agent3');
    const established = await call.waitFor('established');
    const taken = await phone.incoming();
    expect(taken.peer).toBe('+491713920001');
    expect(established.at - (await taken.waitFor('incoming')).at).toBeGreaterThan(250);
    await call.hangup();
    await taken.waitFor('closed');
  });

  it('refuse one call, or every call', async () => {
    const customer = await lab.baresip.customer('+491713920002');
    const phone = await lab.baresip.phone('agent4');
    const call = await customer.dial('direct-agent4');
    await (await phone.incoming()).reject();
    expect((await call.waitFor('closed')).reason).toMatch(/^486 /);
    await expect(call.waitFor('established')).rejects.toThrow(/closed and not established: 486/);

    await phone.doNotDisturb(true);
    const next = await customer.dial('direct-agent4');
    expect((await next.waitFor('closed')).reason).toMatch(/^48\d /);
    expect(next.events.map(({ type }) => type)).not.toContain('ringing');
  });

  it('stand beside each other under one name', async () => {
    const devices = [await lab.baresip.phone('agent5'), await lab.baresip.phone('agent5')];
    expect(new Set(devices.map(({ port }) => port)).size).toBe(2);
    const contacts = async () => (await lab.asterisk.cli('pjsip show contacts')).match(/Contact: {2}agent5\//g)?.length;
    expect(await contacts()).toBe(2);
    await devices[0]!.stop();
    expect(await contacts()).toBe(1);
    await devices[1]!.stop();
  });

  it('end with the lab, and leave no process', async () => {
    const other = await startLab({ asterisk, postgres: false, redis: false });
    const { pid } = await other.baresip.phone('agent1');
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    await other.stop();
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });
});
