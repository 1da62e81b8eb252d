import { createSocket, type Socket } from 'node:dgram';
import { SILENT_SDP } from '../../lab/silent-sdp.js';

export type RawCall = {
  readonly callId: string;
  /** Status lines that came, in order. */
  readonly statuses: number[];
  /** The final status of the INVITE; null when none came in time. */
  readonly final: number | null;
};

export type RawInvite = {
  readonly callId: string;
  /** The value of From, without its tag: whatever a SIP parser has to bear. */
  readonly from: string;
  readonly to: string;
  readonly headers?: readonly string[];
};

/**
 * A caller who says what no telephone says: the text of its INVITE is put together by hand. Rings until the other side
 * does, then gives up.
 */
export class RawCaller {
  readonly #socket: Socket;
  readonly #calls = new Map<string, (status: number, toTag: string) => void>();

  static async start(sipPort: number): Promise<RawCaller> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new RawCaller(socket, sipPort);
  }

  private constructor(
    socket: Socket,
    private readonly sipPort: number,
  ) {
    this.#socket = socket;
    socket.on('message', (data) => {
      const text = data.toString('latin1');
      const status = Number(/^SIP\/2\.0 (\d{3})/.exec(text)?.[1]);
      const callId = /^Call-ID:\s*(\S+)/im.exec(text)?.[1] ?? '';
      const isInvite = /^CSeq:\s*\d+ INVITE/im.test(text);
      if (status > 0 && isInvite) this.#calls.get(callId)?.(status, /^To:.*;tag=([^;\s]+)/im.exec(text)?.[1] ?? '');
    });
  }

  /** Calls until the other side rings or refuses; settles with the call's end. */
  call(invite: RawInvite, timeoutMs = 20_000): Promise<RawCall> {
    const { callId, from, to, headers = [] } = invite;
    const { port } = this.#socket.address();
    const branch = `z9hG4bK-${callId}`;
    const statuses: number[] = [];
    const message = (method: 'INVITE' | 'CANCEL' | 'ACK', toTag: string): Buffer =>
      Buffer.from(
        [
          `${method} sip:${to}@127.0.0.1:${this.sipPort} SIP/2.0`,
          `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=${branch}`,
          `From: ${from};tag=raw${callId}`,
          `To: <sip:${to}@127.0.0.1:${this.sipPort}>${toTag === '' ? '' : `;tag=${toTag}`}`,
          `Call-ID: ${callId}`,
          `CSeq: 1 ${method}`,
          `Contact: <sip:raw@127.0.0.1:${port}>`,
          'Max-Forwards: 70',
          'X-Lab-Trunk: trunk',
          ...(method === 'INVITE' ? [...headers, 'Content-Type: application/sdp'] : []),
          `Content-Length: ${method === 'INVITE' ? Buffer.byteLength(SILENT_SDP) : 0}`,
          '',
          method === 'INVITE' ? SILENT_SDP : '',
        ].join('\r\n'),
      );
    const send = (method: 'INVITE' | 'CANCEL' | 'ACK', toTag = ''): void =>
      this.#socket.send(message(method, toTag), this.sipPort, '127.0.0.1');
    return new Promise((resolve) => {
      // UDP may lose it; Asterisk takes a repetition for what it is.
      const again = setInterval(() => (statuses.length === 0 ? send('INVITE') : undefined), 1_000);
      const end = (final: number | null): void => {
        clearInterval(again);
        clearTimeout(deadline);
        this.#calls.delete(callId);
        resolve({ callId, statuses, final });
      };
      const deadline = setTimeout(() => end(null), timeoutMs);
      this.#calls.set(callId, (status, toTag) => {
        statuses.push(status);
        if (status === 180 || status === 183) send('CANCEL');
        if (status < 200) return;
        send('ACK', toTag);
        end(status);
      });
      send('INVITE');
    });
  }

  stop(): void {
    this.#socket.close();
  }
}
