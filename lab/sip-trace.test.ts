import { describe, expect, it } from 'vitest';

import { parseMessages, sipCalls } from './sip-trace.js';

function logged(time: string, direction: 'sent' | 'received', firstLine: string, cseq: string, to = ''): string {
  return [
    `----------------------------------------------- 2026-11-22T09:55:${time}Z`,
    `UDP message ${direction} [100] bytes:`,
    '',
    firstLine,
    'From: "Line" <sip:+4930@127.0.0.1>;tag=1',
    `To: <sip:agent1@127.0.0.1>${to}`,
    'Call-ID: one',
    `CSeq: ${cseq}`,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

const answered = [
  logged('58.000000', 'received', 'INVITE sip:agent1@127.0.0.1:5060 SIP/2.0', '7 INVITE'),
  logged('58.100000', 'sent', 'SIP/2.0 180 Ringing', '7 INVITE'),
  logged('58.200500', 'sent', 'SIP/2.0 200 OK', '7 INVITE'),
  logged('58.300000', 'received', 'INVITE sip:agent1@127.0.0.1:5060 SIP/2.0', '8 INVITE', ';tag=9'),
  logged('58.310000', 'sent', 'SIP/2.0 200 OK', '8 INVITE', ';tag=9'),
  logged('59.200500', 'received', 'BYE sip:agent1@127.0.0.1:5060 SIP/2.0', '9 BYE', ';tag=9'),
].join('');

describe('sipCalls', () => {
  it('tells the times of a call, and does not take a re-INVITE for a call', () => {
    const calls = sipCalls(parseMessages(answered));
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({
      callId: 'one',
      invites: 1,
      calledUser: 'agent1',
      fromUser: '+4930',
      inviteAt: Date.parse('2026-11-22T09:55:58Z'),
      answeredAt: Date.parse('2026-11-22T09:55:58Z') + 200.5,
      finalStatus: 200,
      byeBy: 'them',
      talkMs: 1000,
    });
  });

  it('counts an INVITE that was repeated', () => {
    const invite = logged('58.000000', 'received', 'INVITE sip:agent1@127.0.0.1:5060 SIP/2.0', '7 INVITE');
    expect(sipCalls(parseMessages(invite + invite))[0]).toMatchObject({ invites: 2, finalStatus: undefined });
  });

  it('leaves out a message that is still being written', () => {
    expect(
      parseMessages(
        `${answered}${'-'.repeat(47)} 2026-11-22T09:55:59.3Z\r\nUDP message sent [9] bytes:\r\n\r\nSIP/2.0 2`,
      ),
    ).toHaveLength(6);
  });
});
