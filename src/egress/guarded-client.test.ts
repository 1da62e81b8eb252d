import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EgressRules } from './egress-rules.js';
import { egressLimits, GuardedClient, type EgressLimits, type Outcome, type Resolve } from './guarded-client.js';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

function client(allow: string[], limits: Partial<EgressLimits> = {}, resolve?: Resolve): GuardedClient {
  const made = new GuardedClient(new EgressRules(allow), { ...egressLimits, ...limits }, resolve);
  closing.unshift(() => made.close());
  return made;
}

describe('guarded client', () => {
  let handle: RequestListener;
  let port: number;

  beforeEach(async () => {
    port = await listen(createServer({ maxHeaderSize: 262_144 }, (request, response) => handle(request, response)));
  });

  const post = (limits: Partial<EgressLimits> = {}, path = '/'): Promise<Outcome> =>
    client(['127.0.0.0/8'], limits).send({
      method: 'POST',
      url: `http://127.0.0.1:${port}${path}`,
      headers: { 'content-type': 'application/json' },
      body: '{"a":1}',
    });

  it('sends the body as it is and answers with the status and the beginning of the text', async () => {
    let got = '';
    handle = (request, response) => {
      request.on('data', (chunk) => (got += String(chunk)));
      request.on('end', () => response.writeHead(503, { 'retry-after': '7' }).end('busy\0now'));
    };
    expect(await post()).toMatchObject({
      kind: 'answered',
      status: 503,
      excerpt: 'busy\uFFFDnow',
      retryAfterSeconds: 7,
    });
    expect(got).toBe('{"a":1}');
  });

  it('follows no redirect', async () => {
    let requests = 0;
    handle = (_request, response) => {
      requests += 1;
      response.writeHead(307, { location: `http://127.0.0.1:${port}/elsewhere` }).end();
    };
    expect(await post()).toMatchObject({ kind: 'answered', status: 307 });
    expect(requests).toBe(1);
  });

  it('reads 20 kB of an endless answer, keeps 4 kB and cuts the connection', async () => {
    let sent = 0;
    let cut!: () => void;
    const closed = new Promise<void>((resolve) => (cut = resolve));
    handle = (_request, response) => {
      const chunk = Buffer.alloc(65_536, 'x');
      const write = (): void => {
        while (!response.destroyed && response.write(chunk)) sent += chunk.length;
        sent += chunk.length;
      };
      response.on('drain', write).on('close', cut);
      write();
    };
    const outcome = await post();
    expect(outcome).toMatchObject({ kind: 'answered', status: 200, excerpt: 'x'.repeat(4096) });
    await closed;
    // What the kernel's buffers took; of a gigabyte nothing is left to read.
    expect(sent).toBeLessThan(16 * 1024 * 1024);
  });

  it('asks for plain bytes and unpacks nothing', async () => {
    let asked: string | undefined;
    handle = (request, response) => {
      asked = String(request.headers['accept-encoding']);
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(10_000_000)));
    };
    expect(await post()).toMatchObject({ kind: 'answered', status: 200, excerpt: '' });
    expect(asked).toBe('identity');
  });

  it('gives up on a target that never answers, and on one that drips its headers', async () => {
    handle = () => undefined;
    expect(await post({ totalMs: 150 })).toMatchObject({ kind: 'failed', error: 'No answer within 0.15 s.' });

    const dripping = await listen(
      createTcpServer((socket) => {
        socket.write('HTTP/1.1 200 OK\r\n');
        const timer = setInterval(() => socket.write('x-drip: 1\r\n'), 20);
        socket.on('close', () => clearInterval(timer));
      }),
    );
    const outcome = await client(['127.0.0.1'], { totalMs: 200 }).send({
      method: 'POST',
      url: `http://127.0.0.1:${dripping}/`,
      headers: {},
      body: '',
    });
    expect(outcome).toMatchObject({ kind: 'failed', error: 'No answer within 0.2 s.' });
    expect(outcome.durationMs).toBeLessThan(1_000);
  });

  it('takes the status of an answer whose body drips, and stops reading in time', async () => {
    handle = (_request, response) => {
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    };
    const outcome = await post({ totalMs: 200 });
    expect(outcome).toMatchObject({ kind: 'answered', status: 200 });
    expect(outcome.durationMs).toBeLessThan(1_000);
  });

  it('refuses headers over 16 kB', async () => {
    handle = (_request, response) => response.writeHead(200, { 'x-long': 'y'.repeat(65_536) }).end();
    expect(await post()).toMatchObject({ kind: 'failed', error: 'The answer’s headers are too long.' });
  });

  it('says that a connection was closed early, and that an answer was no HTTP', async () => {
    handle = (request) => request.socket.destroy();
    expect(await post()).toMatchObject({ kind: 'failed', error: 'The connection was closed before an answer came.' });
    const noHttp = await listen(
      createTcpServer((socket) => socket.once('data', () => socket.write('220 smtp ready\r\n'))),
    );
    expect(
      await client(['127.0.0.1']).send({ method: 'GET', url: `http://127.0.0.1:${noHttp}/`, headers: {} }),
    ).toMatchObject({ kind: 'failed', error: 'The answer was not valid HTTP.' });
  });

  it('says the same of a refused, a closed and a filtered target', async () => {
    const open = port;
    const closedServer = createTcpServer();
    const closedPort = await listen(closedServer);
    await new Promise((resolve) => closedServer.close(resolve));
    const privateName: Resolve = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
    const send = (made: GuardedClient, url: string): Promise<Outcome> => made.send({ method: 'GET', url, headers: {} });
    const outcomes = await Promise.all([
      send(client([]), `https://127.0.0.1/`),
      send(client([]), `http://127.0.0.1:${open}/`),
      send(client([], {}, privateName), 'https://inside.example/'),
      send(
        client([], {}, () => Promise.reject(Object.assign(new Error(), { code: 'ENOTFOUND' }))),
        'https://no.such/',
      ),
      send(client(['127.0.0.1']), `http://127.0.0.1:${closedPort}/`),
      // Nothing answers to a connection that is never opened.
      send(
        client([], { totalMs: 100 }, () => new Promise(() => undefined)),
        'https://slow.example/',
      ),
    ]);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ kind: 'failed', error: 'Could not connect.' });
  });

  it('never connects to an address that a name changed to after it was checked', async () => {
    let canary = 0;
    handle = (_request, response) => {
      canary += 1;
      response.end();
    };
    let asked = 0;
    const rebinding: Resolve = () => {
      asked += 1;
      // Public and private at once, then private only: every answer is judged, and no second question is asked.
      return Promise.resolve(
        asked % 2 === 1
          ? [
              { address: '203.0.114.1', family: 4 },
              { address: '127.0.0.1', family: 4 },
            ]
          : [{ address: '127.0.0.1', family: 4 }],
      );
    };
    const made = client(['10.0.0.0/8'], {}, rebinding);
    for (let i = 0; i < 200; i++) {
      const outcome = await made.send({ method: 'POST', url: `http://rebind.example:${port}/`, headers: {}, body: '' });
      expect(outcome).toMatchObject({ kind: 'failed', error: 'Could not connect.' });
    }
    expect(canary).toBe(0);
    expect(asked).toBe(200);
  });

  it('connects to the very address it checked', async () => {
    handle = (request, response) => response.end(request.headers.host);
    let asked = 0;
    const once: Resolve = () => {
      asked += 1;
      return Promise.resolve([{ address: asked === 1 ? '127.0.0.1' : '192.0.2.1', family: 4 }]);
    };
    const made = client(['127.0.0.0/8'], {}, once);
    const send = (): Promise<Outcome> =>
      made.send({ method: 'GET', url: `http://inside.example:${port}/`, headers: {} });
    expect(await send()).toMatchObject({ status: 200, excerpt: `inside.example:${port}` });
    // The kept connection serves the next request without a new question, once it is free again.
    await new Promise((resolve) => setImmediate(resolve));
    expect(await send()).toMatchObject({ status: 200 });
    expect(asked).toBe(1);
  });

  it('keeps connections, and not more than its bound', async () => {
    const sockets = new Set<Socket>();
    let open = 0;
    let most = 0;
    handle = (request, response) => {
      sockets.add(request.socket);
      open += 1;
      most = Math.max(most, open);
      setImmediate(() => {
        open -= 1;
        response.end();
      });
    };
    const made = client(['127.0.0.1'], { connectionsPerTarget: 3 });
    await Promise.all(
      Array.from({ length: 60 }, () => made.send({ method: 'GET', url: `http://127.0.0.1:${port}/`, headers: {} })),
    );
    expect(sockets.size).toBeLessThanOrEqual(3);
    expect(most).toBeLessThanOrEqual(3);
  });

  it('tells when the first byte goes out, once', async () => {
    handle = (_request, response) => response.end();
    let told = 0;
    await client(['127.0.0.1']).send({
      method: 'GET',
      url: `http://127.0.0.1:${port}/`,
      headers: {},
      onFirstByte: () => (told += 1),
    });
    expect(told).toBe(1);
  });
});
