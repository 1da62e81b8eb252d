import { describe, expect, it } from 'vitest';
import type { AsteriskVersion } from '../../lab/asterisk-configuration.js';
import type { DeskPhone, PhoneCall } from '../../lab/baresip.js';
import { ANNAS_MOBILE } from '../../lab/observed-company.js';
import { MOBILE, observedOffice } from '../support/observed-office.js';

/** Long enough for a talk that is counted for the wrong one to show, ms. */
const A_TALK_MS = 1_300;

describe.each<AsteriskVersion>([16, 22])('transfers on Asterisk %i, observed', (asterisk) => {
  const office = observedOffice(asterisk);

  /** The customer has called Anna, and they talk. */
  async function customerAtAnna(): Promise<{ readonly call: PhoneCall; readonly first: PhoneCall }> {
    const call = await office.customer.dial('+493023125001');
    const first = await office.anna.incoming();
    await first.answer();
    await office.untilTalking('PJSIP/1001', 'PJSIP/trunk', A_TALK_MS);
    return { call, first };
  }

  /** Passes on what one has, after asking the other, who answers. */
  async function consult(from: DeskPhone, call: PhoneCall, to: DeskPhone, thenTalkMs = A_TALK_MS): Promise<PhoneCall> {
    await call.hold();
    const consultation = await from.dial(to.user);
    const second = await to.incoming();
    await second.answer();
    await consultation.waitFor('established');
    await office.untilTalking(`PJSIP/${from.user}`, `PJSIP/${to.user}`);
    await call.attendedTransfer(consultation);
    await office.untilTalking(`PJSIP/${to.user}`, 'PJSIP/trunk', thenTalkMs);
    await Promise.all([call.waitFor('closed'), consultation.waitFor('closed')]);
    return second;
  }

  it('passes a customer on by REFER', async () => {
    const { call, first } = await customerAtAnna();
    await first.blindTransfer('1002');
    await (await office.ben.incoming()).answer();
    await office.untilTalking('PJSIP/1002', 'PJSIP/trunk', A_TALK_MS);
    await call.hangup();
    await office.expectRecords([
      'inbound +491713920001>+493023125001 answered/talked (remote)',
      '1001 transferred, 1002 answered',
      'started ringing answered transferred ended',
    ]);
  });

  it('passes a customer on to a number outside', async () => {
    const { call, first } = await customerAtAnna();
    await first.blindTransfer(MOBILE);
    await office.untilTalking('PJSIP/trunk', 'PJSIP/trunk', A_TALK_MS);
    await call.hangup();
    await office.expectRecords([
      'inbound +491713920001>+493023125001 answered/talked (remote)',
      '01713920042 answered, 1001 transferred',
      'started ringing answered transferred ended',
    ]);
  });

  it('passes a customer on by a feature code', async () => {
    const { call, first } = await customerAtAnna();
    await first.dtmf('##1002');
    await (await office.ben.incoming()).answer();
    await office.untilTalking('PJSIP/1002', 'PJSIP/trunk', A_TALK_MS);
    await call.hangup();
    await office.expectRecords([
      'inbound +491713920001>+493023125001 answered/talked (remote)',
      '1001 transferred, 1002 answered',
      'started ringing answered held resumed transferred ended',
    ]);
  });

  it('passes a customer on to somebody who does not exist', async () => {
    const { call, first } = await customerAtAnna();
    await first.blindTransfer('1999');
    await first.waitFor('transfer-failed');
    await call.waitFor('closed');
    await office.expectRecords([
      'inbound +491713920001>+493023125001 answered/talked (agent)',
      '1001 answered',
      'started ringing answered ended',
    ]);
  });

  it('passes a customer on to somebody busy who has no mailbox', async () => {
    const phone = await office.lab.sipp.phone({ register: ['1009'], refuse: '486 Busy Here' });
    const { call, first } = await customerAtAnna();
    await first.blindTransfer('1009');
    await call.waitFor('closed');
    await phone.stop();
    await office.expectRecords([
      'inbound +491713920001>+493023125001 answered/talked (system)',
      '1001 transferred, 1009 rang',
      'started ringing answered transferred ended',
    ]);
  });

  it.each([
    ['', A_TALK_MS],
    [', who hangs up at once', 0],
  ])('passes a customer on after asking, by REFER%s', async (_, thenTalkMs) => {
    const { call, first } = await customerAtAnna();
    await consult(office.anna, first, office.ben, thenTalkMs);
    await call.hangup();
    const [kept, merged] = await office.expectRecords(
      [
        'inbound +491713920001>+493023125001 answered/talked (remote)',
        '1001 transferred, 1002 answered',
        'started ringing answered held resumed transferred ended',
      ],
      ['internal 1001>1002 merged', '1001 answered, 1002 answered', 'started ringing answered merged'],
    );
    // Asterisk counts the colleague's channel to the conversation of the two, and from then on to the customer's.
    const ben = kept?.legs.find(({ device }) => device === 'PJSIP/1002')?.id;
    const linkedIds = (await office.lab.asterisk.cel()).filter(({ uniqueId }) => uniqueId === ben);
    expect([...new Set(linkedIds.map(({ linkedId }) => linkedId))]).toEqual([merged?.linkedId, kept?.linkedId]);
  });

  it('passes a customer on after asking, by a feature code', async () => {
    const { call, first } = await customerAtAnna();
    await first.dtmf('*21002');
    await (await office.ben.incoming()).answer();
    await office.untilTalking('PJSIP/1001', 'PJSIP/1002');
    await first.hangup();
    await office.untilTalking('PJSIP/1002', 'PJSIP/trunk', A_TALK_MS);
    await call.hangup();
    await office.expectRecords([
      'inbound +491713920001>+493023125001 answered/talked (remote)',
      '1001 transferred, 1002 answered',
      'started ringing answered held resumed transferred ended',
    ]);
  });

  it.each(['was asked', 'asks'])('goes back to the customer when who %s hangs up, by REFER', async (who) => {
    const { call, first } = await customerAtAnna();
    await first.hold();
    const consultation = await office.anna.dial('1002');
    const second = await office.ben.incoming();
    await second.answer();
    await consultation.waitFor('established');
    await office.untilTalking('PJSIP/1001', 'PJSIP/1002');
    await (who === 'asks' ? consultation : second).hangup();
    await Promise.all([second.waitFor('closed'), consultation.waitFor('closed')]);
    await first.resume();
    await call.hangup();
    await office.expectRecords(
      [
        'inbound +491713920001>+493023125001 answered/talked (remote)',
        '1001 answered',
        'started ringing answered held resumed ended',
      ],
      ['internal 1001>1002 answered/talked (agent)', '1001 answered, 1002 answered', 'started ringing answered ended'],
    );
  });

  it.each(['was asked hangs up', 'asks presses *1'])(
    'goes back to the customer when who %s, by a feature code',
    async (who) => {
      const { call, first } = await customerAtAnna();
      await first.dtmf('*21002');
      const second = await office.ben.incoming();
      await second.answer();
      await office.untilTalking('PJSIP/1001', 'PJSIP/1002');
      await (who === 'asks presses *1' ? first.dtmf('*1') : second.hangup());
      await second.waitFor('closed');
      await office.untilTalking('PJSIP/1001', 'PJSIP/trunk', A_TALK_MS);
      await call.hangup();
      await office.expectRecords([
        'inbound +491713920001>+493023125001 answered/talked (remote)',
        '1001 answered, 1002 rang',
        'started ringing answered held resumed ended',
      ]);
    },
  );

  it('goes back to the customer when who was to be asked is busy', async () => {
    const phone = await office.lab.sipp.phone({ register: ['1009'], refuse: '486 Busy Here' });
    const { call, first } = await customerAtAnna();
    await first.dtmf('*21009');
    await phone.call(() => true, 'the call to 1009');
    await office.untilTalking('PJSIP/1001', 'PJSIP/trunk');
    await call.hangup();
    await phone.stop();
    await office.expectRecords([
      'inbound +491713920001>+493023125001 answered/talked (remote)',
      '1001 answered, 1009 rang',
      'started ringing answered held resumed ended',
    ]);
  });

  it('goes along a chain of three agents', async () => {
    const { call, first } = await customerAtAnna();
    const second = await consult(office.anna, first, office.ben);
    await second.blindTransfer('1003');
    await (await office.clara.incoming()).answer();
    await office.untilTalking('PJSIP/1003', 'PJSIP/trunk', A_TALK_MS);
    await call.hangup();
    await office.expectRecords(
      [
        'inbound +491713920001>+493023125001 answered/talked (remote)',
        '1001 transferred, 1002 transferred, 1003 answered',
        'started ringing answered held resumed transferred transferred ended',
      ],
      ['internal 1001>1002 merged', '1001 answered, 1002 answered', 'started ringing answered merged'],
    );
  });

  it('comes back to the agent who passed it on', async () => {
    const { call, first } = await customerAtAnna();
    await first.blindTransfer('1002');
    const second = await office.ben.incoming();
    await second.answer();
    await office.untilTalking('PJSIP/1002', 'PJSIP/trunk', A_TALK_MS);
    await second.blindTransfer('1001');
    const again = await office.anna.incoming();
    await again.answer();
    await office.untilTalking('PJSIP/1001', 'PJSIP/trunk', A_TALK_MS);
    await again.hangup();
    await call.waitFor('closed');
    await office.expectRecords([
      'inbound +491713920001>+493023125001 answered/talked (agent)',
      '1001 transferred, 1002 transferred',
      'started ringing answered transferred transferred ended',
    ]);
  });

  it('passes a customer on to a queue, where a member takes him', async () => {
    const eva = await office.phone('1005');
    const { call, first } = await customerAtAnna();
    await first.blindTransfer('501');
    const second = await eva.incoming();
    await second.answer();
    await office.untilTalking('PJSIP/1005', 'PJSIP/trunk', A_TALK_MS);
    await second.hangup();
    await call.waitFor('closed');
    await office.expectRecords([
      'inbound +491713920001>+493023125001 answered/talked (agent)',
      '1001 transferred, 1005 answered',
      'started ringing answered transferred ended',
    ]);
  });

  it('passes a customer on to a queue, in which he gives up', async () => {
    const eva = await office.phone('1005');
    const { call, first } = await customerAtAnna();
    await first.blindTransfer('501');
    await eva.incoming();
    await call.hangup();
    await office.expectRecords([
      'inbound +491713920001>+493023125001 answered/talked (remote)',
      '1001 transferred, 1005 rang',
      'started ringing answered transferred ended',
    ]);
  });

  it('passes a customer on to a menu, in which he chooses', async () => {
    const { call, first } = await customerAtAnna();
    await first.blindTransfer('650');
    await office.untilLogged('APP_START', 'BackGround');
    await call.dtmf('1003');
    await (await office.clara.incoming()).answer();
    await office.untilTalking('PJSIP/1003', 'PJSIP/trunk', A_TALK_MS);
    await call.hangup();
    await office.expectRecords([
      'inbound +491713920001>+493023125001 answered/talked (remote)',
      '1001 transferred, 1003 answered',
      'started ringing answered transferred ended',
    ]);
  });

  it('goes on as a conference, into which the agent follows and a colleague comes', async () => {
    const { call, first } = await customerAtAnna();
    await first.blindTransfer('800');
    await office.untilLogged('APP_START', 'ConfBridge');
    const anna = await office.anna.dial('800');
    await office.untilTalking('PJSIP/1001', 'PJSIP/trunk', A_TALK_MS);
    const clara = await office.clara.dial('800');
    await office.untilTalking('PJSIP/1003', 'PJSIP/trunk', A_TALK_MS);
    await call.hangup();
    await Promise.all([anna.hangup(), clara.hangup()]);
    await office.expectRecords([
      'inbound +491713920001>+493023125001 answered/talked (remote)',
      '1001 transferred, 1003 answered',
      'started ringing answered transferred ended',
    ]);
  });

  it('goes with the agent to his own mobile', async () => {
    // That is where the agent hangs up.
    await office.carrier({ talkMs: A_TALK_MS });
    const { call, first } = await customerAtAnna();
    await first.blindTransfer(ANNAS_MOBILE);
    await call.waitFor('closed');
    await office.carrier();
    await office.expectRecords([
      'inbound +491713920001>+493023125001 answered/talked (agent)',
      '1001 at 01713920043 answered, 1001 transferred',
      'started ringing answered transferred ended',
    ]);
  });

  it('passes on whom the agent had called', async () => {
    const call = await office.anna.dial(MOBILE);
    await office.untilTalking('PJSIP/1001', 'PJSIP/trunk', A_TALK_MS);
    await call.blindTransfer('1002');
    const second = await office.ben.incoming();
    await second.answer();
    await office.untilTalking('PJSIP/1002', 'PJSIP/trunk', A_TALK_MS);
    await second.hangup();
    await office.expectRecords([
      'outbound 1001>01713920042 answered/talked (agent)',
      '1001 transferred, 1002 answered',
      'started ringing answered transferred ended',
    ]);
  });

  it('passes on whom the agent had called, after asking', async () => {
    const call = await office.anna.dial(MOBILE);
    await office.untilTalking('PJSIP/1001', 'PJSIP/trunk', A_TALK_MS);
    const second = await consult(office.anna, call, office.ben);
    await second.hangup();
    await office.expectRecords(
      [
        'outbound 1001>01713920042 answered/talked (agent)',
        '1001 transferred, 1002 answered',
        'started ringing answered held resumed transferred ended',
      ],
      ['internal 1001>1002 merged', '1001 answered, 1002 answered', 'started ringing answered merged'],
    );
  });
});
