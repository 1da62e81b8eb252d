import { once } from 'node:events';
import { createServer as createHttpServer, request as httpRequest, Agent, type Server as HttpServer } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';

import { startFaultProxy, type FaultProxy } from '../../lab/fault-proxy.js';
import { waitFor } from '../../lab/wait-for.js';

const ends: Array<() => unknown> = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

interface Target {
  readonly address: string;
  readonly received: () => string;
  readonly endsSeen: () => number;
}

/** Sends back what it gets, in capitals, and keeps its side open when the other one ends. */
async function echo(): Promise<Target> {
  let received = '';
  let endsSeen = 0;
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      received += String(data);
      socket.write(String(data).toUpperCase());
    });
    socket.on('end', () => {
      endsSeen += 1;
      socket.write('BYE');
      socket.end();
    });
  });
  return { address: await listening(server), received: () => received, endsSeen: () => endsSeen };
}

async function listening(server: Server | HttpServer): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => server.close());
  return `127.0.0.1:${(server.address() as { port: number }).port}`;
}

async function proxyTo(target: string): Promise<FaultProxy> {
  const proxy = await startFaultProxy(target);
  ends.push(() => proxy.stop());
  return proxy;
}

interface Client {
  readonly socket: Socket;
  readonly heard: () => string;
  readonly error: () => string | undefined;
  readonly hasEnded: () => boolean;
  readonly isClosed: () => boolean;
}

async function client(port: number): Promise<Client> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let heard = '';
  let error: string | undefined;
  let ended = false;
  let closed = false;
  socket.on('data', (data) => (heard += String(data)));
  socket.on('end', () => (ended = true));
  socket.on('close', () => (closed = true));
  socket.on('error', (problem: NodeJS.ErrnoException) => (error = problem.code));
  await once(socket, 'connect');
  ends.push(() => socket.destroy());
  return { socket, heard: () => heard, error: () => error, hasEnded: () => ended, isClosed: () => closed };
}

describe('the fault proxy on bytes', () => {
  it('passes everything, both ends of data too, while no fault is set', async () => {
    const target = await echo();
    const proxy = await proxyTo(target.address);
    const { socket, heard, hasEnded } = await client(proxy.port);
    socket.write('hello');
    await waitFor(() => heard() === 'HELLO', { what: 'the echo' });
    socket.end();
    await waitFor(() => hasEnded() && heard() === 'HELLOBYE', { what: 'the other side to end' });
    expect(target.endsSeen()).toBe(1);
    expect(proxy.counters()).toMatchObject({ accepted: 1, bytesUp: 5, bytesDown: 8, resets: 0 });
    await waitFor(() => proxy.counters().open === 0, { what: 'the connection to be forgotten' });
  });

  it('holds every byte back for the latency, in both directions', async () => {
    const proxy = await proxyTo((await echo()).address);
    proxy.set({ latencyMs: 150 });
    const { socket, heard } = await client(proxy.port);
    const before = performance.now();
    socket.write('hello');
    await waitFor(() => heard() === 'HELLO', { what: 'the echo', everyMs: 5 });
    expect(performance.now() - before).toBeGreaterThan(295);
  });

  it('lets nothing through a black hole, and everything after it', async () => {
    const target = await echo();
    const proxy = await proxyTo(target.address);
    const { socket, heard, isClosed } = await client(proxy.port);
    proxy.set({ blackHole: 'both' });
    const late = await client(proxy.port);
    socket.write('lost?');
    late.socket.write('me too');
    // A round trip through an unharmed proxy to the same target takes longer than these bytes would need.
    const other = await client((await proxyTo(target.address)).port);
    other.socket.write('probe');
    await waitFor(() => other.heard() === 'PROBE', { what: 'the probe' });
    expect(target.received()).toBe('probe');
    expect(isClosed()).toBe(false);
    proxy.set();
    await waitFor(() => heard() === 'LOST?' && late.heard() === 'ME TOO', { what: 'what was held' });
  });

  it('makes a black hole of one direction only: the target acts, its answer is not heard', async () => {
    const target = await echo();
    const proxy = await proxyTo(target.address);
    const { socket, heard } = await client(proxy.port);
    proxy.set({ blackHole: 'down' });
    socket.write('act');
    await waitFor(() => target.received() === 'act', { what: 'the target to act' });
    expect(heard()).toBe('');
    proxy.set();
    await waitFor(() => heard() === 'ACT', { what: 'the answer' });
  });

  it('drips', async () => {
    const proxy = await proxyTo((await echo()).address);
    const { socket, heard } = await client(proxy.port);
    proxy.set({ bytesPerSecond: 200 });
    const before = performance.now();
    socket.write('x'.repeat(100));
    await waitFor(() => heard().length > 0, { what: 'the first bytes' });
    expect(heard().length).toBeLessThan(100);
    await waitFor(() => heard().length === 100, { what: 'the last bytes' });
    expect(performance.now() - before).toBeGreaterThan(450);
  });

  it('resets a connection after so many bytes, and has passed those', async () => {
    const target = await echo();
    const proxy = await proxyTo(target.address);
    proxy.set({ resetAfter: { direction: 'up', bytes: 10 } });
    const { socket, error, isClosed } = await client(proxy.port);
    socket.write('0123456789ABCDEF');
    await waitFor(isClosed, { what: 'the reset' });
    expect(error()).toBe('ECONNRESET');
    expect(target.received()).toBe('0123456789');
    expect(proxy.counters().resets).toBe(1);
  });

  it('resets all connections on demand and goes on with new ones', async () => {
    const proxy = await proxyTo((await echo()).address);
    const first = await client(proxy.port);
    await waitFor(() => proxy.counters().open === 1, { what: 'the connection' });
    proxy.reset();
    await waitFor(first.isClosed, { what: 'the reset' });
    expect(first.error()).toBe('ECONNRESET');
    const second = await client(proxy.port);
    second.socket.write('again');
    await waitFor(() => second.heard() === 'AGAIN', { what: 'the echo' });
  });

  it('closes one half: the client hears the end, the target still hears the client', async () => {
    const target = await echo();
    const proxy = await proxyTo(target.address);
    const { socket, hasEnded, isClosed } = await client(proxy.port);
    socket.write('one');
    await waitFor(() => target.received() === 'one', { what: 'the first word' });
    proxy.halfClose('client');
    await waitFor(hasEnded, { what: 'the end' });
    socket.write('two');
    await waitFor(() => target.received() === 'onetwo', { what: 'the second word' });
    expect(isClosed()).toBe(false);
  });

  it('refuses connections as if nobody listened, and listens again on the same port', async () => {
    const proxy = await proxyTo((await echo()).address);
    await proxy.refuse();
    await expect(client(proxy.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await proxy.accept();
    const { socket, heard } = await client(proxy.port);
    socket.write('back');
    await waitFor(() => heard() === 'BACK', { what: 'the echo' });
  });

  it('springs a trap at a moment: before the words arrive, after, or before their answer does', async () => {
    const target = await echo();
    const proxy = await proxyTo(target.address);
    const said: string[] = [];
    const lines: Client[] = [];
    for (const withhold of ['these', 'answer', 'nothing'] as const) {
      const line = await client(proxy.port);
      lines.push(line);
      const trap = proxy.trap({ direction: 'up', words: /^wanted/, withhold });
      line.socket.write('other');
      await waitFor(() => line.heard() === 'OTHER', { what: 'what no trap waits for to pass' });
      line.socket.write(`wanted ${withhold}`);
      await trap.sprung;
      said.push(withhold);
    }
    await waitFor(() => target.received().endsWith('wanted nothing'), { what: 'what is let through to arrive' });
    await waitFor(() => lines[2]?.heard() === 'OTHERWANTED NOTHING', { what: 'its answer' });
    expect(said).toEqual(['these', 'answer', 'nothing']);
    expect(target.received()).toBe('otherotherwanted answerotherwanted nothing');
    expect(lines.map(({ heard }) => heard())).toEqual(['OTHER', 'OTHER', 'OTHERWANTED NOTHING']);
  });

  it('springs no trap twice, and none that was removed', async () => {
    const target = await echo();
    const proxy = await proxyTo(target.address);
    const { socket, heard } = await client(proxy.port);
    const first = proxy.trap({ direction: 'up', words: /again/, withhold: 'nothing' });
    proxy.trap({ direction: 'up', words: /again/, withhold: 'these' }).remove();
    socket.write('again');
    await first.sprung;
    await waitFor(() => heard() === 'AGAIN', { what: 'the first answer' });
    socket.write('again');
    await waitFor(() => heard() === 'AGAINAGAIN', { what: 'the second answer' });
  });
});

describe('the fault proxy on HTTP', () => {
  async function server() {
    const acted: string[] = [];
    const http = createHttpServer((request, response) => {
      request.resume().on('end', () => {
        acted.push(`${request.method} ${request.url}`);
        response.end(`done ${request.url}`);
      });
    });
    return { address: await listening(http), acted };
  }

  /** One keep-alive connection, as a client with a pool has it. */
  function caller(proxy: FaultProxy) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    ends.push(() => agent.destroy());
    return (method: string, path: string, body = '') =>
      new Promise<string>((resolve, reject) => {
        const request = httpRequest(
          { agent, method, path, host: '127.0.0.1', port: proxy.port, headers: { 'content-length': body.length } },
          (response) => {
            let text = '';
            response.on('data', (data) => (text += String(data)));
            response.on('end', () => resolve(text));
          },
        );
        request.on('error', reject);
        request.end(body);
      });
  }

  it('loses the answer to one request after the target acted, and no other', async () => {
    const { address, acted } = await server();
    const proxy = await proxyTo(`http://${address}/ari`);
    expect(proxy.url).toBe(`http://127.0.0.1:${proxy.port}/ari`);
    const lost = proxy.intercept({ method: 'POST', path: /\/dial/, lose: 'response', how: 'reset', times: 1 });
    const call = caller(proxy);
    expect(await call('POST', '/create', 'POST /dial in a body is no request\r\n\r\nPOST /dial HTTP/1.1\r\n\r\n')).toBe(
      'done /create',
    );
    expect(await call('GET', '/dial')).toBe('done /dial');
    await expect(call('POST', '/dial?timeout=30')).rejects.toThrow(/ECONNRESET|socket hang up/);
    expect(await call('POST', '/dial?timeout=31')).toBe('done /dial?timeout=31');
    expect(acted).toEqual(['POST /create', 'GET /dial', 'POST /dial?timeout=30', 'POST /dial?timeout=31']);
    expect(lost.hits()).toBe(1);
  });

  it('loses a request before the target sees it', async () => {
    const { address, acted } = await server();
    const proxy = await proxyTo(`http://${address}`);
    proxy.intercept({ path: /^\/create/, lose: 'request', how: 'reset', times: 1 });
    await expect(caller(proxy)('POST', '/create')).rejects.toThrow();
    expect(acted).toEqual([]);
  });

  it('holds an answer until it is released', async () => {
    const { address, acted } = await server();
    const proxy = await proxyTo(`http://${address}`);
    const held = proxy.intercept({ path: /^\/create/, lose: 'response', how: 'hold' });
    let answered: string | undefined;
    const answer = caller(proxy)('POST', '/create', '{}').then((text) => (answered = text));
    await waitFor(() => acted.length === 1, { what: 'the target to act' });
    // Others are not held.
    expect(await caller(proxy)('GET', '/other')).toBe('done /other');
    expect(answered).toBeUndefined();
    held.release();
    expect(await answer).toBe('done /create');
  });
});
