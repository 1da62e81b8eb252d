import { describe, expect, it } from 'vitest';

import { tagsOf } from './baresip.js';

const message = (firstLine: string, callId: string, from: string, to: string, method: string) =>
  [
    '\u001b[36;1m#',
    'UDP 127.0.0.1:20402 -> 127.0.0.1:20420',
    `${firstLine}\r`,
    `Call-ID: ${callId}\r`,
    `From: <sip:1001@127.0.0.1>${from}\r`,
    `To: <sip:1002@127.0.0.1>${to}\r`,
    `CSeq: 7 ${method}\r`,
    '\r',
    '\u001b[;m',
    '',
  ].join('\n');

describe('tagsOf', () => {
  const log = [
    'baresip is ready.\n',
    message('SIP/2.0 200 OK', 'registration', ';tag=r1', ';tag=r2', 'REGISTER'),
    message('INVITE sip:1002@127.0.0.1 SIP/2.0', 'call', ';tag=a1', '', 'INVITE'),
    message('SIP/2.0 180 Ringing', 'call', ';tag=a1', ';tag=early', 'INVITE'),
    message('SIP/2.0 200 OK', 'other', ';tag=x1', ';tag=x2', 'INVITE'),
    message('SIP/2.0 200 OK', 'call', ';tag=a1', ';tag=b2', 'INVITE'),
    message('SIP/2.0 200 OK', 'call', ';tag=b2', ';tag=a1', 'BYE'),
  ].join('');

  it('are those of the answer to the INVITE', () => {
    expect(tagsOf(log, 'call')).toEqual({ from: 'a1', to: 'b2' });
  });

  it('are not there before the answer', () => {
    expect(() => tagsOf(log, 'registration')).toThrow('was not answered');
  });
});
