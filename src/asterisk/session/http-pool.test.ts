import { readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../../lab/wait-for.js';
import { HttpPool, readAnswer, type HttpEnd } from './http-pool.js';

const bytes = (text: string): Buffer => Buffer.from(text.replaceAll('\n', '\r\n'));

describe('an answer', () => {
  it.each([
    ['with a length', 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhällo', { status: 200, text: 'häll' }],
    ['without a body', 'HTTP/1.1 204 No Content\nContent-Length: 0\n\n', { status: 204, text: '' }],
    ['that can have none', 'HTTP/1.1 204 No Content\n\n', { status: 204, text: '' }],
    ['after a provisional one', 'HTTP/1.1 100 Continue\n\nHTTP/1.1 200\nContent-Length: 0\n\n', { status: 200 }],
    ['in chunks', 'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n3\nabc\n2;x=y\nde\n0\n\n', { text: 'abcde' }],
    ['that is the last', 'HTTP/1.1 200 OK\nConnection: Close\nContent-Length: 0\n\n', { isLast: true }],
    ['of an old server', 'HTTP/1.0 200 OK\nContent-Length: 0\n\n', { isLast: true }],
    ['with more behind it', 'HTTP/1.1 200 OK\nContent-Length: 0\n\nHTTP', { isLast: true }],
    ['with trailers', 'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n0\nX: y\n\n', { isLast: true }],
    ['that says how long', 'HTTP/1.1 200 OK\nKeep-Alive: timeout=5\nContent-Length: 0\n\n', { keptMs: 4_000 }],
    ['like any other', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n', { isLast: false, keptMs: Infinity }],
  ])('%s', (_, text, expected) => {
    expect(readAnswer(bytes(text), false)).toMatchObject(expected);
  });

  it('may come in any pieces', () => {
    const whole = bytes('HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n3\nabc\n10\n0123456789abcdef\n0\n\n');
    for (let at = 0; at < whole.length; at++) expect(readAnswer(whole.subarray(0, at), false), String(at)).toBe('more');
    expect(readAnswer(whole, false)).toMatchObject({ text: 'abc0123456789abcdef' });
  });

  it('without a length ends with the connection', () => {
    const text = bytes('HTTP/1.1 200 OK\n\nabc');
    expect(readAnswer(text, false)).toBe('more');
    expect(readAnswer(text, true)).toMatchObject({ text: 'abc', isLast: true });
  });

  it.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\n'],
    ['no status', 'HTTP/1.1 OK\n\n'],
    ['a head without an end', `HTTP/1.1 200 OK\nX: ${'x'.repeat(20_000)}`],
    ['chunks that are none', 'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nzz\n'],
  ])('is none: %s', (_, text) => {
    expect(readAnswer(bytes(text), false)).toBe('bad');
  });
});

const OK = 'HTTP/1.1 200 OK\nContent-Length: 0\n\n';
const stops: (() => void)[] = [];
afterEach(() => stops.splice(0).forEach((stop) => stop()));

/** A server that does with each request as told, and a pool to it. */
async function pool(onRequest: (socket: Socket, text: string) => void, options = {}) {
  const sockets = new Set<Socket>();
  const seen: string[] = [];
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      seen.push(chunk.toString());
      onRequest(socket, chunk.toString());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const made = new HttpPool(new URL(`http://127.0.0.1:${port}`), { connections: 2, idleMs: 60_000, ...options });
  stops.push(() => {
    made.close();
    server.close();
    sockets.forEach((socket) => socket.destroy());
  });
  const ask = (path = '/x', body: string | null = null): Promise<HttpEnd> =>
    new Promise((resolve) => made.send('GET', path, '', body, resolve));
  return { made, ask, sockets, seen };
}
const answer = (socket: Socket): void => void socket.write(bytes(OK));

describe('a pool', () => {
  it('asks one after another on one connection, and side by side on as many as it may', async () => {
    const held: Socket[] = [];
    const { ask, sockets, seen } = await pool((socket, text) =>
      text.includes('/held') ? held.push(socket) : answer(socket),
    );
    for (let i = 0; i < 3; i++) expect(await ask()).toMatchObject({ status: 200 });
    expect(sockets.size).toBe(1);
    const all = [1, 2, 3, 4].map(() => ask('/held'));
    await waitFor(() => held.length === 2, { what: 'two to be asked' });
    expect(seen).toHaveLength(5);
    for (let i = 0; i < 4; i++) {
      await waitFor(() => held.length > i, { what: 'the next to be asked' });
      answer(held[i]!);
    }
    expect(await Promise.all(all)).toMatchObject([1, 2, 3, 4].map(() => ({ status: 200 })));
    expect(sockets.size).toBe(2);
  });

  it('sends a body with its length in bytes', async () => {
    const { ask, seen } = await pool(answer);
    await ask('/x?y=z', '{"a":"ü"}');
    expect(seen[0]).toMatch(
      /^GET \/x\?y=z HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\ncontent-length: 10\r\n\r\n\{"a":"ü"\}$/,
    );
  });

  it.each(['/x y', '/x\r\nhost: other', '/ü', ''])(
    'refuses %j as a path: it would be another request',
    async (path) => {
      const { ask, seen } = await pool(answer);
      expect(await ask(path)).toEqual({ kind: 'failed', why: 'no path of a URL', wasSent: false });
      expect(seen).toEqual([]);
    },
  );

  it('takes another connection for the next when the server closed one, or will', async () => {
    const { ask, sockets } = await pool((socket) =>
      socket.write(bytes(OK.replace('OK\n', 'OK\nKeep-Alive: timeout=1\n'))),
    );
    await ask();
    const [first] = sockets;
    expect(await ask()).toMatchObject({ status: 200 });
    await waitFor(() => !sockets.has(first!), { what: 'the first to be closed' });
    const [second] = sockets;
    second!.end();
    await waitFor(() => !sockets.has(second!), { what: 'the second to be closed' });
    expect(await ask()).toMatchObject({ status: 200 });
  });

  it('does not use a connection again on which something came unasked', async () => {
    const { ask, sockets } = await pool((socket) => socket.write(bytes(OK + OK)));
    expect(await ask()).toMatchObject({ status: 200 });
    await waitFor(() => sockets.size === 0, { what: 'it to be closed' });
  });

  it('tells what was sent from what was not', async () => {
    const { made, ask } = await pool(() => undefined);
    const sent = [ask(), ask()];
    const waiting = ask();
    await new Promise((resolve) => setTimeout(resolve, 50));
    made.close();
    expect(await Promise.all(sent)).toMatchObject([{ wasSent: true }, { wasSent: true }]);
    expect(await waiting).toEqual({ kind: 'failed', why: 'closed', wasSent: false });
    expect(await ask()).toEqual({ kind: 'failed', why: 'closed', wasSent: false });
  });

  it('sends nothing to a server whose certificate nobody trusts', async () => {
    const pem = (name: string): Buffer => readFileSync(`test/fixtures/tls/${name}`);
    const seen: string[] = [];
    const server = createTlsServer({ cert: pem('hooks.example.pem'), key: pem('hooks.example.key') }, (socket) =>
      socket.on('data', (chunk: Buffer) => seen.push(chunk.toString())),
    );
    server.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const made = new HttpPool(new URL(`https://127.0.0.1:${port}`), { connections: 1, idleMs: 60_000 });
    stops.push(() => server.close());
    const end = await new Promise<HttpEnd>((resolve) => made.send('GET', '/x', '', null, resolve));
    expect(end).toMatchObject({ kind: 'failed', why: expect.stringMatching(/VERIFY/), wasSent: false });
    expect(seen).toEqual([]);
  });

  it('gives up one that waits, and one that is under way, whose connection goes with it', async () => {
    const { made, sockets } = await pool(() => undefined);
    const ends: HttpEnd[] = [];
    const giveUps = [1, 2, 3].map(() => made.send('GET', '/x', '', null, (end) => ends.push(end)));
    await waitFor(() => sockets.size === 2, { what: 'two to be open' });
    giveUps[2]!('late');
    expect(ends).toEqual([{ kind: 'failed', why: 'late', wasSent: false }]);
    giveUps[0]!('late');
    expect(ends[1]).toEqual({ kind: 'failed', why: 'late', wasSent: true });
    await waitFor(() => sockets.size === 1, { what: 'its connection to be closed' });
    giveUps[0]!('again');
    expect(ends).toHaveLength(2);
  });
});
