import { createSocket } from 'node:dgram';
import { createServer, type Server } from 'node:net';

// Below the range from which the kernel hands out ports (32768-60999 on Linux), so that no passing connection sits on
// one of ours. Asterisk's RTP has 10000-19999 (asterisk/lab/rtp.conf).
const FIRST_PORT = 20_000;
const BLOCK_SIZE = 400;
const BLOCKS = 30;
const HANDED_OUT_FROM = 20;
const MEDIA_FROM = 120;

export interface LabPorts {
  readonly http: number;
  readonly sip: number;
  readonly postgres: number;
  readonly redis: number;
  readonly trunk: number;
  readonly trunk2: number;
  readonly trunkDown: number;
  /** A port for SIPp or anything else a test starts; free at this moment, for UDP and TCP. */
  next(): Promise<number>;
  /** First of `count` ports for RTP, even. */
  nextMedia(count: number): Promise<number>;
  release(): Promise<void>;
}

/**
 * Takes a block of ports that no other lab on this machine has. The claim is a listening socket on the block's first
 * port: the kernel grants it to one process and takes it back when that process ends, however it ends.
 */
export async function claimPorts(): Promise<LabPorts> {
  for (let block = 0; block < BLOCKS; block += 1) {
    const base = FIRST_PORT + block * BLOCK_SIZE;
    const claim = await listen(base);
    if (!claim) continue;
    const fixed = [1, 2, 3, 4, 5, 6, 7].map((offset) => base + offset);
    // Something else of this machine, or the last of a lab that was just killed, may still sit in the block.
    if (!(await Promise.all(fixed.map(isFree))).every(Boolean)) {
      await close(claim);
      continue;
    }
    return portsOf(base, claim);
  }
  throw new Error(
    `all ${BLOCKS} port blocks from ${FIRST_PORT} are taken: stop a lab (who listens: ss -ltnp 'sport >= ${FIRST_PORT}')`,
  );
}

function portsOf(base: number, claim: Server): LabPorts {
  let next = HANDED_OUT_FROM;
  let media = MEDIA_FROM;
  return {
    http: base + 1,
    sip: base + 2,
    postgres: base + 3,
    redis: base + 4,
    trunk: base + 5,
    trunk2: base + 6,
    trunkDown: base + 7,
    async next() {
      for (let tries = HANDED_OUT_FROM; tries < MEDIA_FROM; tries += 1) {
        const port = base + next;
        next = next + 1 < MEDIA_FROM ? next + 1 : HANDED_OUT_FROM;
        if (await isFree(port)) return port;
      }
      throw new Error('every port of this lab is in use: stop some of its phones');
    },
    async nextMedia(count) {
      const size = count + (count % 2);
      for (let tries = 0; tries < BLOCK_SIZE; tries += size) {
        if (media + size > BLOCK_SIZE) media = MEDIA_FROM;
        const first = base + media;
        media += size;
        const ports = Array.from({ length: size }, (_, index) => first + index);
        if ((await Promise.all(ports.map(isFreeUdp))).every(Boolean)) return first;
      }
      throw new Error('every media port of this lab is in use: stop some of its phones');
    },
    release: () => close(claim),
  };
}

function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(server.unref()));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

async function isFree(port: number): Promise<boolean> {
  const server = await listen(port);
  if (!server) return false;
  await close(server);
  return isFreeUdp(port);
}

function isFreeUdp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => resolve(false));
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)));
  });
}
