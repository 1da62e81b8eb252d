import { describe, expect, it, onTestFinished } from 'vitest';
import type { AsteriskVersion } from '../../lab/asterisk-configuration.js';
import { ANNAS_MOBILE, OBSERVED_LINE } from '../../lab/observed-company.js';
import type { PhoneOptions } from '../../lab/sipp.js';
import { MOBILE, observedOffice } from '../support/observed-office.js';
import { leaveMessage, messagesOf } from '../support/voicemail.js';

describe.each<AsteriskVersion>([16, 22])('calls of an ordinary dial plan on Asterisk %i, observed', (asterisk) => {
  const office = observedOffice(asterisk);

  describe('from outside', () => {
    it('is answered, and the agent hangs up', async () => {
      const call = await office.customer.dial('+493023125001');
      const taken = await office.anna.incoming();
      await taken.answer();
      await office.untilTalking('PJSIP/1001', 'PJSIP/trunk', 2_100);
      await taken.hangup();
      await call.waitFor('closed');
      await office.expectRecords([
        'inbound +491713920001>+493023125001 answered/talked (agent)',
        '1001 answered',
        'started ringing answered ended',
      ]);
    });

    it('is answered, and the customer hangs up', async () => {
      const call = await office.customer.dial('+493023125002');
      const taken = await office.ben.incoming();
      await taken.answer();
      await office.untilTalking('PJSIP/1002', 'PJSIP/trunk');
      await call.hangup();
      await office.expectRecords([
        'inbound +491713920001>+493023125002 answered/talked (remote)',
        '1002 answered',
        'started ringing answered ended',
      ]);
    });

    it('is given up while it rings', async () => {
      const call = await office.customer.dial('+493023125001');
      await office.anna.incoming();
      await call.waitFor('ringing');
      await call.hangup();
      await office.expectRecords([
        'inbound +491713920001>+493023125001 missed/caller-gave-up (remote)',
        '1001 rang',
        'started ringing ended',
      ]);
    });

    it('is declined by somebody who has no mailbox', async () => {
      const phone = await office.lab.sipp.phone({ register: ['1009'], ringMs: 300, refuse: '603 Decline' });
      const call = await office.customer.dial('+493023125009');
      await call.waitFor('closed').catch(() => undefined);
      await phone.stop();
      await office.expectRecords([
        'inbound +491713920001>+493023125009 missed/agent-rejected (system)',
        '1009 rang',
        'started ringing ended',
      ]);
    });

    it('goes to the mailbox of somebody who is busy', async () => {
      const call = await office.customer.dial('+493023125003');
      await (await office.clara.incoming()).reject();
      await call.waitFor('established');
      await call.hangup();
      await office.expectRecords([
        'inbound +491713920001>+493023125003 voicemail/agent-busy (remote)',
        '1003 rang',
        'started ringing voicemail ended',
      ]);
      expect(messagesOf(office.lab, '1003'), 'messages').toEqual([]);
    });

    it('leaves a message for somebody who is busy', async () => {
      const call = await office.customer.dial('+493023125002');
      await (await office.ben.incoming()).reject();
      await leaveMessage(office.lab, call, '1002');
      await office.expectRecords([
        'inbound +491713920001>+493023125002 voicemail/agent-busy (remote)',
        '1002 rang',
        'started ringing voicemail ended',
      ]);
    });

    it('goes to the mailbox of somebody who does not answer', async () => {
      await office.setGlobal('RINGSECONDS', '2');
      const call = await office.customer.dial('+493023125003');
      const ringing = await office.clara.incoming();
      await ringing.waitFor('closed');
      await call.waitFor('established');
      await call.hangup();
      await office.expectRecords([
        'inbound +491713920001>+493023125003 voicemail/agent-no-answer (remote)',
        '1003 rang',
        'started ringing voicemail ended',
      ]);
      expect(messagesOf(office.lab, '1003'), 'messages').toEqual([]);
    });

    it('hears that the office is closed', async () => {
      // A day that never comes.
      await office.setGlobal('HOURS', '*,*,31,feb');
      const call = await office.customer.dial('+493023125500');
      await call.waitFor('established');
      await call.waitFor('closed');
      await office.expectRecords(['inbound +491713920001>+493023125500 missed/unknown (system)', '', 'started ended']);
    });

    it('is given up while it hears that the office is closed', async () => {
      await office.setGlobal('HOURS', '*,*,31,feb');
      const call = await office.customer.dial('+493023125500');
      await office.untilLogged('APP_START', 'Playback');
      await call.hangup();
      await office.expectRecords([
        'inbound +491713920001>+493023125500 missed/caller-gave-up (remote)',
        '',
        'started ended',
      ]);
    });

    it('is for somebody whose phone is not there and who has no mailbox', async () => {
      const call = await office.customer.dial('+493023125010');
      await call.waitFor('closed').catch(() => undefined);
      await office.expectRecords(['inbound +491713920001>+493023125010 missed/unknown (system)', '', 'started ended']);
    });

    it('shows no number', async () => {
      const caller = await office.lab.sipp.caller({ calls: [{ from: 'anonymous', to: '+493023125001' }], talkMs: 500 });
      await (await office.anna.incoming()).answer();
      await caller.done;
      await office.expectRecords([
        'inbound anonymous>+493023125001 answered/talked (remote)',
        '1001 answered',
        'started ringing answered ended',
      ]);
    });

    it('is put on hold and taken back', async () => {
      const call = await office.customer.dial('+493023125001');
      const taken = await office.anna.incoming();
      await taken.answer();
      await taken.hold();
      await taken.resume();
      await taken.hold();
      await taken.resume();
      await call.hangup();
      await office.expectRecords([
        'inbound +491713920001>+493023125001 answered/talked (remote)',
        '1001 answered',
        'started ringing answered held resumed held resumed ended',
      ]);
    });
  });

  describe('to outside', () => {
    it('left by the line whose number the carrier was shown, where several go out there', async () => {
      const carrier = await office.carrier();
      const { body } = await office.company.call('POST', '/v1/lines', {
        pbxNodeId: office.company.nodeId,
        number: '+493023125002',
        name: 'Ben',
        target: { agentIds: [office.company.agentOf('1002')] },
        outbound: { endpoint: 'trunk', format: 'plus-e164' },
      });
      onTestFinished(async () => void (await office.company.call('DELETE', `/v1/lines/${body.id as string}`)));
      for (const [extension, shown, line] of [
        ['1001', OBSERVED_LINE, 'Anna'],
        ['1002', '+493023125002', 'Ben'],
        // No line has the number.
        ['1003', '+493023125003', undefined],
      ] as const) {
        const call = await (await office.phone(extension)).dial(MOBILE);
        await office.untilTalking(`PJSIP/${extension}`, 'PJSIP/trunk');
        await call.hangup();
        const [record] = await office.expectRecords([
          `outbound ${extension}>01713920042 answered/talked (agent)`,
          `${extension} answered`,
          'started ringing answered ended',
        ]);
        expect(record?.line?.name).toBe(line);
        expect((await carrier.calls()).at(-1)).toMatchObject({ calledUser: MOBILE, fromUser: shown });
      }
    });

    it('is answered, and the agent hangs up', async () => {
      await office.carrier();
      const call = await office.anna.dial(MOBILE);
      await office.untilTalking('PJSIP/1001', 'PJSIP/trunk', 2_100);
      await call.hangup();
      await office.expectRecords([
        'outbound 1001>01713920042 answered/talked (agent)',
        '1001 answered',
        'started ringing answered ended',
      ]);
    });

    it('is answered, and who was called hangs up', async () => {
      await office.carrier({ talkMs: 500 });
      const call = await office.anna.dial(MOBILE);
      await call.waitFor('closed').catch(() => undefined);
      await office.expectRecords([
        'outbound 1001>01713920042 answered/talked (remote)',
        '1001 answered',
        'started ringing answered ended',
      ]);
    });

    it.each<[refuse: string, manner: PhoneOptions, outcome: string, events: string]>([
      ['486 Busy Here', {}, 'busy/remote-busy', 'started ringing ended'],
      ['600 Busy Everywhere', {}, 'busy/remote-busy', 'started ringing ended'],
      ['408 Request Timeout', {}, 'no-answer/remote-no-answer', 'started ringing ended'],
      [
        '480 Temporarily Unavailable',
        {},
        // Asterisk 16 tells only the Q.850 cause, which is that of no answer.
        asterisk === 16 ? 'no-answer/remote-no-answer' : 'no-answer/remote-unavailable',
        'started ringing ended',
      ],
      ['603 Decline', {}, 'rejected/remote-rejected', 'started ringing ended'],
      ['404 Not Found', { provisional: 'none' }, 'failed/invalid-number', 'started ended'],
      ['488 Not Acceptable Here', { provisional: 'none' }, 'failed/trunk-refused', 'started ended'],
      ['500 Server Internal Error', { provisional: 'none' }, 'failed/trunk-unreachable', 'started ended'],
      ['503 Service Unavailable', { provisional: 'none' }, 'failed/congestion', 'started ended'],
      ['503 Service Unavailable', { provisional: 183 }, 'failed/congestion', 'started ringing ended'],
    ])('is refused with %s, %o', async (refuse, manner, outcome, events) => {
      await office.carrier({ ...manner, refuse });
      const call = await office.anna.dial(MOBILE);
      await call.waitFor('closed').catch(() => undefined);
      await office.expectRecords([`outbound 1001>01713920042 ${outcome} (remote)`, '1001 requested', events]);
    });

    it('is an outbound one to the mobile of a colleague too', async () => {
      await office.carrier();
      const call = await office.ben.dial(ANNAS_MOBILE);
      await office.untilTalking('PJSIP/1002', 'PJSIP/trunk');
      await call.hangup();
      await office.expectRecords([
        'outbound 1002>01713920043 answered/talked (agent)',
        '1002 answered',
        'started ringing answered ended',
      ]);
    });

    it('is given up by the agent while it rings', async () => {
      await office.carrier({ ringMs: 'forever' });
      const call = await office.anna.dial(MOBILE);
      await call.waitFor('ringing');
      await call.hangup();
      await office.expectRecords([
        'outbound 1001>01713920042 cancelled/agent-hung-up (agent)',
        '1001 requested',
        'started ringing ended',
      ]);
    });
  });

  describe('inside', () => {
    it('is answered', async () => {
      const call = await office.anna.dial('1002');
      const taken = await office.ben.incoming();
      await taken.answer();
      await office.untilTalking('PJSIP/1001', 'PJSIP/1002');
      await call.hangup();
      await office.expectRecords([
        'internal 1001>1002 answered/talked (agent)',
        '1001 answered, 1002 answered',
        'started ringing answered ended',
      ]);
    });

    it('finds the other busy, who has no mailbox', async () => {
      const phone = await office.lab.sipp.phone({ register: ['1009'], provisional: 'none', refuse: '486 Busy Here' });
      const call = await office.anna.dial('1009');
      await call.waitFor('closed').catch(() => undefined);
      await phone.stop();
      await office.expectRecords([
        'internal 1001>1009 busy/remote-busy (agent)',
        '1001 requested, 1009 requested',
        'started ended',
      ]);
    });

    it('goes to the mailbox of somebody who is busy', async () => {
      const call = await office.anna.dial('1003');
      await (await office.clara.incoming()).reject();
      await call.waitFor('established');
      await call.hangup();
      await office.expectRecords([
        'internal 1001>1003 voicemail/agent-busy (agent)',
        '1001 requested, 1003 rang',
        'started ringing voicemail ended',
      ]);
      expect(messagesOf(office.lab, '1003'), 'messages').toEqual([]);
    });

    it('is given up by who called', async () => {
      const call = await office.anna.dial('1002');
      await office.ben.incoming();
      await call.waitFor('ringing');
      await call.hangup();
      await office.expectRecords([
        'internal 1001>1002 cancelled/agent-hung-up (agent)',
        '1001 requested, 1002 rang',
        'started ringing ended',
      ]);
    });
  });
});
