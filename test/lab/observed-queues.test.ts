import { describe, it } from 'vitest';
import type { AsteriskVersion } from '../../lab/asterisk-configuration.js';
import type { DeskPhone, PhoneCall } from '../../lab/baresip.js';
import { waitFor } from '../../lab/wait-for.js';
import { observedOffice } from '../support/observed-office.js';

describe.each<AsteriskVersion>([16, 22])('queues of Asterisk %i, observed', (asterisk) => {
  const office = observedOffice(asterisk);

  /** Whoever of these rings first, with his call. */
  async function firstOf(phones: readonly DeskPhone[]): Promise<{ readonly user: string; readonly call: PhoneCall }> {
    const isOver = ({ events }: PhoneCall): boolean => events.some(({ type }) => type === 'closed');
    return waitFor(
      () => {
        const ringing = phones.flatMap(({ user, calls }) => calls.map((call) => ({ user, call })));
        return ringing.find(({ call }) => !isOver(call));
      },
      { what: 'a member to ring' },
    );
  }

  // Nobody of "support" has a phone yet.
  it('keeps a caller for whom nobody can be rung until he gives up', async () => {
    const call = await office.customer.dial('+493023125201');
    await call.waitFor('established');
    await office.untilLogged('APP_START', 'Queue');
    await call.hangup();
    await office.expectRecords([
      'inbound +491713920001>+493023125201 missed/caller-gave-up (remote)',
      '',
      'started ended',
    ]);
  });

  // Eva is the only one of "support" yet.
  it('rings both phones of a member, of which the second answers', async () => {
    const atDesk = await office.phone('1005');
    const atHome = await office.lab.baresip.phone('1005');
    const call = await office.customer.dial('+493023125201');
    const [first, second] = await Promise.all([atDesk.incoming(), atHome.incoming()]);
    await second.answer();
    await first.waitFor('closed');
    await office.untilTalking('PJSIP/1005', 'PJSIP/trunk', 1_300);
    await call.hangup();
    await office.expectRecords([
      'inbound +491713920001>+493023125201 answered/talked (remote)',
      '1005 answered',
      'started ringing answered ended',
    ]);
    await atHome.stop();
  });

  it('goes on to the next member when one lets it ring', async () => {
    const [eva, felix] = [await office.phone('1005'), await office.phone('1006')];
    const call = await office.customer.dial('+493023125201');
    const first = await firstOf([eva, felix]);
    const other = first.user === '1005' ? felix : eva;
    const second = await other.incoming();
    await first.call.waitFor('closed');
    await second.answer();
    await office.untilTalking(`PJSIP/${other.user}`, 'PJSIP/trunk', 1_300);
    await second.hangup();
    await call.waitFor('closed');
    await office.expectRecords([
      'inbound +491713920001>+493023125201 answered/talked (agent)',
      [`${first.user} rang`, `${other.user} answered`].sort().join(', '),
      'started ringing answered ended',
    ]);
  });

  it('sends a caller on to the next queue when its time is over', async () => {
    await office.setGlobal('SALESSECONDS', '2');
    const support = [await office.phone('1005'), await office.phone('1006')];
    const call = await office.customer.dial('+493023125200');
    const sales = await Promise.all([office.anna, office.ben, office.clara].map((phone) => phone.incoming()));
    const { user, call: taken } = await firstOf(support);
    await Promise.all(sales.map((ringing) => ringing.waitFor('closed')));
    await taken.answer();
    await office.untilTalking(`PJSIP/${user}`, 'PJSIP/trunk', 1_300);
    await taken.hangup();
    await call.waitFor('closed');
    await office.expectRecords([
      'inbound +491713920001>+493023125200 answered/talked (agent)',
      `1001 rang, 1002 rang, 1003 rang, ${user} answered`,
      'started ringing answered ended',
    ]);
  });
});
