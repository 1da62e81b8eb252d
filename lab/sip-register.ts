import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';

export interface Registration {
  readonly sipPort: number;
  /** The address of record, for example "agent1". */
  readonly user: string;
  /** Where the phone listens on 127.0.0.1. */
  readonly contactPort: number;
  /** 0 takes the contact away; an hour unless told. */
  readonly expiresSeconds?: number;
  /** 5 s unless told. */
  readonly timeoutMs?: number;
}

/** Sends REGISTER over UDP and settles when the registrar said 200; repeats it as RFC 3261 does. */
export function register({
  sipPort,
  user,
  contactPort,
  expiresSeconds = 3600,
  timeoutMs = 5_000,
}: Registration): Promise<void> {
  const id = randomBytes(8).toString('hex');
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    let wait = 500;
    let timer: NodeJS.Timeout | undefined;
    const finish = (error?: Error) => {
      clearTimeout(timer);
      clearTimeout(deadline);
      socket.close();
      if (error) reject(error);
      else resolve();
    };
    const deadline = setTimeout(() => finish(new Error(`no answer to the REGISTER of ${user}`)), timeoutMs);
    socket.once('error', finish);
    socket.on('message', (data) => {
      const status = Number(/^SIP\/2\.0 (\d{3})/.exec(data.toString())?.[1]);
      if (status < 200) return;
      finish(status === 200 ? undefined : new Error(`REGISTER of ${user} was answered ${status}`));
    });
    socket.bind(0, '127.0.0.1', () => {
      const own = `127.0.0.1:${socket.address().port}`;
      const message = [
        `REGISTER sip:127.0.0.1:${sipPort} SIP/2.0`,
        `Via: SIP/2.0/UDP ${own};rport;branch=z9hG4bK${id}`,
        `From: <sip:${user}@127.0.0.1>;tag=${id}`,
        `To: <sip:${user}@127.0.0.1>`,
        `Call-ID: ${id}@127.0.0.1`,
        'CSeq: 1 REGISTER',
        `Contact: <sip:${user}@127.0.0.1:${contactPort}>`,
        `Expires: ${expiresSeconds}`,
        'Max-Forwards: 70',
        'Content-Length: 0',
        '',
        '',
      ].join('\r\n');
      const send = () => {
        socket.send(message, sipPort, '127.0.0.1');
        timer = setTimeout(send, wait);
        wait = Math.min(wait * 2, 4_000);
      };
      send();
    });
  });
}
