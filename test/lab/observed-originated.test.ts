import { describe, it } from 'vitest';
import type { AsteriskVersion } from '../../lab/asterisk-configuration.js';
import { MOBILE, observedOffice } from '../support/observed-office.js';

// As other programs have it: a click elsewhere, a dialler, a wake-up call.
describe.each<AsteriskVersion>([16, 22])('calls that Asterisk %i itself makes, observed', (asterisk) => {
  const office = observedOffice(asterisk);

  async function originate(whom: string, then: string): Promise<void> {
    await office.lab.asterisk.cli(`channel originate ${whom} extension ${then}@from-internal`);
  }

  it.each(['PJSIP/1001', 'Local/1001@from-internal'])('rings an agent at %s, then calls outside', async (whom) => {
    await originate(whom, MOBILE);
    const taken = await office.anna.incoming();
    await taken.answer();
    await office.untilTalking('PJSIP/1001', 'PJSIP/trunk', 1_300);
    await taken.hangup();
    await office.expectRecords([
      'outbound 1001>01713920042 answered/talked (agent)',
      '1001 answered',
      'started updated updated ringing answered ended',
    ]);
  });

  it.each(['PJSIP/1009', 'Local/1009@from-internal'])('rings an agent at %s, who is busy', async (whom) => {
    const phone = await office.phone('1009');
    await originate(whom, MOBILE);
    await (await phone.incoming()).reject();
    await office.expectRecords(['internal >1009 busy/remote-busy (agent)', '1009 rang', 'started ended']);
  });

  it('rings an agent whose mailbox answers, and calls outside for that', async () => {
    await office.carrier({ talkMs: 700 });
    await originate('Local/1002@from-internal', MOBILE);
    await (await office.ben.incoming()).reject();
    await office.untilLogged('BRIDGE_ENTER', 'AppDial');
    await office.untilLogged('BRIDGE_EXIT', 'AppDial');
    await office.carrier();
    await office.expectRecords([
      'outbound >01713920042 failed/remote-hung-up (remote)',
      '1002 rang',
      'started updated updated ringing ended',
    ]);
  });

  it('calls outside for an agent, where it is busy', async () => {
    await office.carrier({ refuse: '486 Busy Here', ringMs: 300 });
    await originate('PJSIP/1001', MOBILE);
    const taken = await office.anna.incoming();
    await taken.answer();
    await taken.waitFor('closed');
    await office.carrier();
    await office.expectRecords([
      'outbound 1001>01713920042 busy/remote-busy (remote)',
      '1001 rang',
      'started updated updated ringing ended',
    ]);
  });

  it('calls outside for an agent, who gives up', async () => {
    await office.carrier({ ringMs: 'forever' });
    await originate('Local/1001@from-internal', MOBILE);
    const taken = await office.anna.incoming();
    await taken.answer();
    await office.untilLogged('APP_START', 'Dial');
    await taken.hangup();
    await office.carrier();
    await office.expectRecords([
      'outbound 1001>01713920042 cancelled/agent-hung-up (agent)',
      '1001 rang',
      'started updated updated ringing ended',
    ]);
  });

  it.each(['PJSIP/1001', 'Local/1001@from-internal'])('rings an agent at %s, then a colleague', async (whom) => {
    await originate(whom, '1002');
    const taken = await office.anna.incoming();
    await taken.answer();
    const other = await office.ben.incoming();
    await other.answer();
    await office.untilTalking('PJSIP/1001', 'PJSIP/1002', 1_300);
    await other.hangup();
    await office.expectRecords([
      'internal 1001>1002 answered/talked (agent)',
      '1001 answered, 1002 answered',
      'started updated ringing answered ended',
    ]);
  });

  it.each([`PJSIP/${MOBILE}@trunk`, `Local/${MOBILE}@from-internal`])(
    'calls outside by %s, then an agent',
    async (whom) => {
      await originate(whom, '1001');
      const taken = await office.anna.incoming();
      await taken.answer();
      await office.untilTalking('PJSIP/1001', 'PJSIP/trunk', 1_300);
      await taken.hangup();
      await office.expectRecords([
        'outbound >01713920042 answered/talked (agent)',
        '1001 answered',
        'started updated ringing answered ended',
      ]);
    },
  );

  it('calls outside, where it is busy', async () => {
    await office.carrier({ refuse: '486 Busy Here', ringMs: 300 });
    await originate(`PJSIP/${MOBILE}@trunk`, '1001');
    await office.untilLogged('CHAN_END');
    await office.carrier();
    await office.expectRecords([
      'outbound >01713920042 busy/remote-busy (remote)',
      '',
      'started updated ringing ended',
    ]);
  });

  it('calls a customer back who did not want to wait in a queue', async () => {
    const call = await office.customer.dial('+493023125200');
    await office.untilLogged('APP_START', 'Queue');
    const waiting = await office.ben.incoming();
    await call.dtmf('1');
    await waiting.waitFor('closed');
    const taken = await office.ben.incoming();
    await call.waitFor('closed');
    await taken.answer();
    await office.untilTalking('PJSIP/1002', 'PJSIP/trunk', 1_300);
    await taken.hangup();
    await office.expectRecords(
      [
        'inbound +491713920001>+493023125200 missed/agent-no-answer (system)',
        '1001 rang, 1002 rang, 1003 rang',
        'started ringing ended',
      ],
      [
        'outbound 1002>+491713920001 answered/talked (agent)',
        '1001 rang, 1002 answered, 1003 rang',
        'started updated updated ringing answered ended',
      ],
    );
  });
});
