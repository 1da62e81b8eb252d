import { connect, createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** Stands between Ringline and Asterisk and keeps the events that pass, as they were on the wire. */
export interface AriRecorder {
  /** To be given to Ringline in place of Asterisk’s. */
  readonly ariUrl: string;
  /** Text of every event so far that names one of these. */
  framesAbout(ids: readonly string[]): string[];
  stop(): Promise<void>;
}

const UPGRADED = Buffer.from('\r\n\r\n');

export async function recordAri(ariUrl: string): Promise<AriRecorder> {
  const target = new URL(ariUrl);
  const frames: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const asterisk = connect(Number(target.port), target.hostname);
    const reader = new EventReader((text) => frames.push(text));
    for (const socket of [client, asterisk]) {
      sockets.add(socket.setNoDelay());
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        asterisk.destroy();
      });
    }
    client.pipe(asterisk);
    asterisk.on('data', (chunk: Buffer) => reader.feed(chunk));
    asterisk.pipe(client);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    ariUrl: `http://127.0.0.1:${port}${target.pathname}`,
    framesAbout: (ids) => frames.filter((text) => ids.some((id) => text.includes(`"${id}"`))),
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Finds the text messages that a server sends over one connection, if that becomes a web socket (RFC 6455). */
class EventReader {
  #pending = Buffer.alloc(0);
  #isSocket: boolean | null = null;
  #parts: Buffer[] = [];

  constructor(private readonly onText: (text: string) => void) {}

  feed(chunk: Buffer): void {
    if (this.#isSocket === false) return;
    this.#pending = Buffer.concat([this.#pending, chunk]);
    if (this.#isSocket === null) {
      const end = this.#pending.indexOf(UPGRADED);
      if (end < 0) return;
      this.#isSocket = this.#pending.toString('latin1', 0, 12) === 'HTTP/1.1 101';
      this.#pending = this.#pending.subarray(end + UPGRADED.length);
    }
    if (this.#isSocket) this.#readFrames();
  }

  #readFrames(): void {
    for (;;) {
      const { length } = this.#pending;
      if (length < 2) return;
      const [first, second] = [this.#pending.readUInt8(0), this.#pending.readUInt8(1) & 0x7f];
      const headerLength = second === 126 ? 4 : second === 127 ? 10 : 2;
      if (length < headerLength) return;
      const size =
        second === 126 ? this.#pending.readUInt16BE(2) : second === 127 ? this.#pending.readUInt32BE(6) : second;
      if (length < headerLength + size) return;
      const payload = this.#pending.subarray(headerLength, headerLength + size);
      this.#pending = this.#pending.subarray(headerLength + size);
      const opcode = first & 0x0f;
      // Text, or the rest of one.
      if (opcode > 1) continue;
      this.#parts.push(payload);
      if ((first & 0x80) !== 0) this.onText(Buffer.concat(this.#parts.splice(0)).toString('utf8'));
    }
  }
}
