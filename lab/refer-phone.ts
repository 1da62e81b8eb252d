import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { SILENT_SDP } from './silent-sdp.js';
import { register } from './sip-register.js';

/**
 * A registered phone that answers its one call, sends REFER, and stays on the line whatever comes of that, as desk phones do;
 * baresip hangs up. It has no sound.
 */
export interface ReferPhone {
  /** The status line of each NOTIFY about a REFER, in order. */
  readonly told: readonly string[];
  /** Its call was ended by the other side. */
  readonly isClosed: boolean;
  readonly isTalking: boolean;
  /** Asks that the other side call this user. */
  refer(to: string, headers?: readonly string[]): void;
  hangup(): void;
  stop(): void;
}

type Dialog = { readonly from: string; readonly to: string; readonly callId: string; readonly target: string };

export async function startReferPhone(sipPort: number, user: string): Promise<ReferPhone> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  const contact = `Contact: <sip:${user}@127.0.0.1:${port}>`;
  const told: string[] = [];
  let dialog: Dialog | null = null;
  let isClosed = false;
  let sequence = 1;
  const send = (lines: readonly string[]): void => socket.send(lines.join('\r\n'), sipPort, '127.0.0.1');
  const request = (method: 'REFER' | 'BYE', headers: readonly string[]): void => {
    if (dialog === null) throw new Error(`${user} has no call`);
    sequence += 1;
    send([
      `${method} ${dialog.target} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bK${randomBytes(6).toString('hex')}`,
      'Max-Forwards: 70',
      `From: ${dialog.from}`,
      `To: ${dialog.to}`,
      `Call-ID: ${dialog.callId}`,
      `CSeq: ${sequence} ${method}`,
      contact,
      ...headers,
      'Content-Length: 0',
      '',
      '',
    ]);
  };
  socket.on('message', (data) => {
    const text = data.toString('latin1');
    const header = (name: string): string => new RegExp(`^${name}: *(.*?)\\r?$`, 'im').exec(text)?.[1] ?? '';
    const method = /^([A-Z]+) sip:/.exec(text)?.[1];
    if (method === undefined || method === 'ACK') return;
    const tagged = header('To').includes(';tag=') ? header('To') : `${header('To')};tag=${user}`;
    if (method === 'INVITE')
      dialog ??= {
        from: tagged,
        to: header('From'),
        callId: header('Call-ID'),
        target: /<([^>]*)>/.exec(header('Contact'))?.[1] ?? '',
      };
    if (method === 'NOTIFY' && header('Event') === 'refer')
      told.push(/\r\n\r\nSIP\/2\.0 (.*?)\r?\n?$/.exec(text.trimEnd())?.[1] ?? '');
    if (method === 'BYE') isClosed = true;
    const body = method === 'INVITE' ? SILENT_SDP : '';
    send([
      'SIP/2.0 200 OK',
      ...[...text.matchAll(/^Via: .*?$/gim)].map(([via]) => via.trimEnd()),
      `From: ${header('From')}`,
      `To: ${tagged}`,
      `Call-ID: ${header('Call-ID')}`,
      `CSeq: ${header('CSeq')}`,
      contact,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${body.length}`,
      '',
      body,
    ]);
  });
  try {
    await register({ sipPort, user, contactPort: port });
  } catch (error) {
    socket.close();
    throw error;
  }
  return {
    told,
    get isClosed() {
      return isClosed;
    },
    get isTalking() {
      return dialog !== null && !isClosed;
    },
    refer: (to, headers = []) => request('REFER', [`Refer-To: <sip:${to}@127.0.0.1:${sipPort}>`, ...headers]),
    hangup: () => request('BYE', []),
    stop: () => void socket.close(),
  };
}
