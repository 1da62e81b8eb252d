import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { gzipSync } from 'node:zlib';

const CHUNK = Buffer.alloc(65_536, 'x');
/** 100 MB of nothing, in 100 kB. */
const bomb = gzipSync(Buffer.alloc(100_000_000));

/** Ways in which a receiver can be wrong, as it answers on the socket itself; each ends with the socket. */
const modes = {
  'answers 500': (socket) => socket.end('HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\nno'),
  'asks for 7 seconds': (socket) => socket.end('HTTP/1.1 429 Slow\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n'),
  'asks for a date': (socket) =>
    socket.end(
      `HTTP/1.1 503 Later\r\nretry-after: ${new Date(Date.now() + 7_000).toUTCString()}\r\ncontent-length: 0\r\n\r\n`,
    ),
  'is gone': (socket) => socket.end('HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n'),
  redirects: (socket) => socket.end('HTTP/1.1 302 There\r\nlocation: /canary\r\ncontent-length: 0\r\n\r\n'),
  canary: (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'),
  hangs: () => undefined,
  'drips its headers': (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    every(socket, 500, () => 'x-drip: 1\r\n');
  },
  'drips its body': (socket) => {
    socket.write('HTTP/1.1 500 No\r\ncontent-length: 100000\r\n\r\n');
    every(socket, 500, () => 'x');
  },
  'never ends to continue': (socket) => every(socket, 500, () => 'HTTP/1.1 102 Processing\r\n\r\n'),
  'sends a gigabyte': (socket) => {
    socket.write('HTTP/1.1 500 No\r\ncontent-length: 1000000000\r\n\r\n');
    const fill = (): void => {
      while (!socket.destroyed && socket.write(CHUNK));
    };
    socket.on('drain', fill);
    fill();
  },
  'sends a gzip bomb': (socket) => {
    socket.write(`HTTP/1.1 500 No\r\ncontent-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`);
    socket.end(bomb);
  },
  'sends huge headers': (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    for (let i = 0; i < 200 && !socket.destroyed; i++) socket.write(`x-${i}: ${'y'.repeat(65_000)}\r\n`);
    socket.end('\r\n');
  },
  resets: (socket) => socket.resetAndDestroy(),
  'speaks no HTTP': (socket) => socket.end('220 smtp ready\r\n'),
} satisfies Record<string, (socket: Socket) => unknown>;
export type Mode = keyof typeof modes;

function every(socket: Socket, ms: number, text: () => string): void {
  const timer = setInterval(() => socket.write(text()), ms);
  socket.on('close', () => clearInterval(timer));
}

/** Answers each request as its path says, on plain sockets; beside it a TLS server whose certificate nobody trusts. */
export class HostileReceiver {
  readonly #sockets = new Set<Socket>();
  /** By path. */
  readonly requests = new Map<string, number>();

  private constructor(
    private readonly plain: Server,
    private readonly tls: Server,
    /** Takes connections and says nothing, not even TLS. */
    private readonly mute: Server,
  ) {
    for (const server of [plain, tls, mute]) {
      server.on('connection', (socket: Socket) => {
        this.#sockets.add(socket);
        socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
      });
    }
    plain.on('connection', (socket: Socket) => {
      socket.once('data', (chunk: Buffer) => {
        const path = decodeURIComponent(/^POST \/(\S*) /.exec(chunk.toString('latin1'))?.[1] ?? '');
        this.requests.set(path, (this.requests.get(path) ?? 0) + 1);
        modes[path as Mode]?.(socket);
      });
    });
  }

  static async start(): Promise<HostileReceiver> {
    const pem = (name: string): Buffer => readFileSync(`test/fixtures/tls/${name}`);
    const tls = createTlsServer({ cert: pem('hooks.example.pem'), key: pem('hooks.example.key') });
    tls.on('tlsClientError', () => undefined);
    const receiver = new HostileReceiver(createServer(), tls, createServer());
    for (const server of [receiver.plain, receiver.tls, receiver.mute]) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    }
    return receiver;
  }

  url(mode: Mode): string {
    return `http://127.0.0.1:${portOf(this.plain)}/${encodeURIComponent(mode)}`;
  }

  get tlsUrl(): string {
    return `https://127.0.0.1:${portOf(this.tls)}/`;
  }

  get muteTlsUrl(): string {
    return `https://127.0.0.1:${portOf(this.mute)}/`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(
      [this.plain, this.tls, this.mute].map((server) => new Promise((resolve) => server.close(resolve))),
    );
  }
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
