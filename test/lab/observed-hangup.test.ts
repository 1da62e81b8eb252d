import { describe, expect, it } from 'vitest';
import type { AsteriskVersion } from '../../lab/asterisk-configuration.js';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';
import { MOBILE, observedOffice } from '../support/observed-office.js';

describe.each<AsteriskVersion>([16, 22])('calls of an ordinary dial plan on Asterisk %i, by the API', (asterisk) => {
  const office = observedOffice(asterisk);
  const open = (status: string): Promise<Call> =>
    office.company.newest((call) => call.status === status && call.endedAt === null);
  const send = (id: string, action: string, body?: unknown) =>
    office.ringline.call('POST', `/v1/calls/${id}/${action}`, {
      tenantId: office.company.tenantId,
      ...(body !== undefined && { body }),
    });

  it('are hung up while the parties talk', async () => {
    const call = await office.customer.dial('+493023125001');
    const taken = await office.anna.incoming();
    await taken.answer();
    await office.untilTalking('PJSIP/1001', 'PJSIP/trunk', 1_100);
    const { id } = await open('answered');
    expect((await send(id, 'hangup')).status).toBe(202);
    await Promise.all([call.waitFor('closed'), taken.waitFor('closed')]);
    await office.expectRecords([
      'inbound +491713920001>+493023125001 answered/talked (api)',
      '1001 answered',
      'started ringing answered ended',
    ]);
    expect(await send(id, 'hangup')).toMatchObject({
      status: 409,
      body: { type: expect.stringMatching(/call-ended$/) },
    });
  });

  it('are hung up while a phone rings, and the caller does not get its mailbox', async () => {
    const call = await office.customer.dial('+493023125003');
    const ringing = await office.clara.incoming();
    const { id } = await open('ringing');
    expect((await send(id, 'hangup')).status).toBe(202);
    await Promise.all([call.waitFor('closed'), ringing.waitFor('closed')].map((end) => end.catch(() => undefined)));
    await office.expectRecords([
      'inbound +491713920001>+493023125003 cancelled/cancelled-by-api (api)',
      '1003 rang',
      'started ringing ended',
    ]);
  });

  it('are hung up by whichever wires their parties came together', async () => {
    const phone = await office.phone('1005');
    const call = await office.customer.dial('+493023125101');
    await (await phone.incoming()).answer();
    await office.untilTalking('PJSIP/1005', 'PJSIP/trunk');
    expect((await send((await open('answered')).id, 'hangup')).status).toBe(202);
    await call.waitFor('closed');
    await office.expectRecords([
      'inbound +491713920001>+493023125101 answered/talked (api)',
      '1005 answered',
      'started ringing answered ended',
    ]);
  });

  it('are hung up while Asterisk itself rings an agent, and it calls nobody for his mailbox', async () => {
    await office.carrier();
    await office.lab.asterisk.cli(`channel originate Local/1003@from-internal extension ${MOBILE}@from-internal`);
    const ringing = await office.clara.incoming();
    const { id } = await open('dialing');
    expect((await send(id, 'hangup')).status).toBe(202);
    await ringing.waitFor('closed').catch(() => undefined);
    await office.expectRecords(['internal >1003 cancelled/cancelled-by-api (api)', '1003 rang', 'started ended']);
  });

  it('are hung up once who began them has passed them on', async () => {
    await office.carrier();
    const call = await office.anna.dial(MOBILE);
    await office.untilTalking('PJSIP/1001', 'PJSIP/trunk');
    await call.blindTransfer('1002');
    const taken = await office.ben.incoming();
    await taken.answer();
    await office.untilTalking('PJSIP/1002', 'PJSIP/trunk');
    const { id } = await open('answered');
    await waitFor(async () => (await office.company.eventsOf(id)).includes('call.transferred'), {
      what: 'the transfer',
    });
    expect((await send(id, 'hangup')).status).toBe(202);
    await taken.waitFor('closed');
    await office.expectRecords([
      'outbound 1001>01713920042 answered/talked (api)',
      '1001 transferred, 1002 answered',
      'started ringing answered transferred ended',
    ]);
  });

  it('can be asked nothing else, and go on', async () => {
    const call = await office.customer.dial('+493023125001');
    const taken = await office.anna.incoming();
    await taken.answer();
    await office.untilTalking('PJSIP/1001', 'PJSIP/trunk');
    const { id } = await open('answered');
    const asked: readonly [string, unknown?][] = [
      ['hold'],
      ['unhold'],
      ['mute'],
      ['unmute'],
      ['dtmf', { digits: '1' }],
      ['transfer', { agentId: office.company.agentOf('1002') }],
      ['transfer/complete'],
      ['transfer/cancel'],
      ['record/start'],
    ];
    for (const [action, body] of asked)
      expect(await send(id, action, body), action).toMatchObject({
        status: 409,
        body: { type: expect.stringMatching(/call-not-controllable$/), detail: expect.stringMatching(/hung up/) },
      });
    expect((await open('answered')).id).toBe(id);
    await call.hangup();
    await office.expectRecords([
      'inbound +491713920001>+493023125001 answered/talked (remote)',
      '1001 answered',
      'started ringing answered ended',
    ]);
  });

  it('are hung up though Ringline is killed as soon as it was asked to', async () => {
    const call = await office.customer.dial('+493023125001');
    const taken = await office.anna.incoming();
    await taken.answer();
    await office.untilTalking('PJSIP/1001', 'PJSIP/trunk');
    const { id } = await open('answered');
    // Asterisk hears of nothing meanwhile.
    await office.lab.asterisk.kill('SIGSTOP');
    await send(id, 'hangup');
    await office.ringline.kill();
    await office.lab.asterisk.kill('SIGCONT');
    await office.ringline.start();
    await office.ringline.ready();
    await Promise.all([call.waitFor('closed', 30_000), taken.waitFor('closed', 30_000)]);
    const record = await office.company.newest(({ endedAt }) => endedAt !== null);
    expect(record).toMatchObject({ id, outcome: 'answered', hangup: { by: 'api' } });
  });
});
