import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startFaultProxy, type FaultProxy } from '../../lab/fault-proxy.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import { openAriSession } from '../../src/asterisk/session/ari-session.js';
import { AriCommands, REQUEST_DEADLINE_MS, type AriDownload } from '../../src/asterisk/session/commands.js';
import { FakeAri } from '../support/fake-ari.js';
import { SessionLog } from '../support/session-log.js';

let lab: Lab;
const proxies: FaultProxy[] = [];
const clients: AriCommands[] = [];

beforeAll(async () => {
  lab = await startLab({ postgres: false, redis: false, report: () => undefined });
}, 240_000);
afterEach(async () => {
  await Promise.all(clients.splice(0).map((commands) => commands.close()));
  await Promise.all(proxies.splice(0).map((proxy) => proxy.stop()));
});
afterAll(() => lab?.stop());

/** A proxy and a client for each test, since what one breaks is not the other's. */
async function node() {
  const proxy = await startFaultProxy(lab.asterisk.ariUrl);
  proxies.push(proxy);
  const { username, password } = lab.asterisk;
  return { proxy, commands: open({ ariUrl: proxy.url, username, password }) };
}

function open(address: ConstructorParameters<typeof AriCommands>[0]): AriCommands {
  const commands = new AriCommands(address);
  clients.push(commands);
  return commands;
}

async function timed<T>(work: Promise<T>): Promise<{ readonly result: T; readonly ms: number }> {
  const startedAt = performance.now();
  const result = await work;
  return { result, ms: performance.now() - startedAt };
}

const ROOM = '/bridges/contract-room';
const bridges = async (): Promise<number> =>
  ((await lab.asterisk.cli('bridge show all')).match(/^contract-room/gm) ?? []).length;

describe('commands to Asterisk', () => {
  it('tell its status and what it says', async () => {
    const { commands } = await node();
    const info = await commands.send('GET', '/asterisk/info');
    expect(info).toMatchObject({
      kind: 'answered',
      status: 200,
      body: { system: { version: expect.stringContaining(lab.asterisk.version) } },
    });
    const nobody = await commands.send('GET', '/channels/nobody');
    expect(nobody).toMatchObject({ kind: 'answered', status: 404, body: { message: expect.any(String) } });
    expect(await commands.send('DELETE', ROOM)).toMatchObject({ kind: 'answered', status: 404 });
    expect(await commands.send('POST', `${ROOM}?type=mixing`)).toMatchObject({ kind: 'answered', status: 200 });
    // What answers without a body is no failure.
    expect(await commands.send('DELETE', ROOM)).toEqual({ kind: 'answered', status: 204, body: null });
  });

  it('are refused by status when the password is wrong', async () => {
    const commands = open({ ariUrl: lab.asterisk.ariUrl, username: 'ringline', password: 'wrong' });
    expect(await commands.send('GET', '/asterisk/info')).toMatchObject({ kind: 'answered', status: 401 });
  });

  it('hand a 409 on as it is: what it means is found out by asking', async () => {
    const { commands } = await node();
    const { ariUrl, username, password } = lab.asterisk;
    const session = await openAriSession({ ariUrl, username, password }, 'contract', new SessionLog());
    const create = (channelId: string, endpoint = 'Local/direct-agent1@from-trunk') =>
      commands.send('POST', '/channels/create', { endpoint, app: 'contract', channelId });
    expect(await create('contract-one')).toMatchObject({ status: 200 });
    expect(await create('contract-one')).toMatchObject({ kind: 'answered', status: 409 });
    expect(await commands.send('GET', '/channels/contract-one')).toMatchObject({ status: 200 });
    // No phone is registered there: 500, or after the 409 above on the same connection 409 again.
    const failed = await create('contract-two', 'PJSIP/agent1');
    expect(failed).toMatchObject({ kind: 'answered' });
    expect([409, 500]).toContain((failed as { status: number }).status);
    expect(await commands.send('GET', '/channels/contract-two')).toMatchObject({ status: 404 });
    await commands.send('DELETE', '/channels/contract-one');
    void session.close('enough');
  });

  it('dial twice: both are answered 204, one INVITE goes out, and a leg that does not ring yet ends', async () => {
    const phone = await lab.sipp.phone({ register: ['agent1'], tryingMs: 60_000, media: 'none' });
    const { commands } = await node();
    const { ariUrl, username, password } = lab.asterisk;
    const log = new SessionLog();
    const session = await openAriSession({ ariUrl, username, password }, 'contract-dial', log);
    const create = { endpoint: 'PJSIP/agent1', app: 'contract-dial', channelId: 'dialled-twice' };
    await commands.send('POST', '/channels/create', create);
    await log.frame('StasisStart');
    expect(await commands.send('POST', '/channels/dialled-twice/dial')).toMatchObject({ status: 204 });
    await phone.call(({ calledUser }) => calledUser === 'agent1', 'the INVITE');
    expect(await commands.send('POST', '/channels/dialled-twice/dial')).toMatchObject({ status: 204 });
    await log.frame('StasisEnd');
    const calls = await phone.calls();
    expect(calls.map(({ invites }) => invites)).toEqual([1]);
    void session.close('enough');
    await phone.stop();
  });

  it('tell how long answers take of late, and forget it when nothing is asked', async () => {
    const { proxy, commands } = await node();
    const lost = proxy.intercept({ path: /contract-room/, lose: 'response', how: 'hold' });
    await Promise.all(Array.from({ length: 16 }, () => commands.send('GET', ROOM)));
    lost.release();
    expect(commands.delayMs).toBe(0);
    proxy.set({ latencyMs: 200 });
    for (let turn = 0; turn < 3; turn++) {
      await Promise.all(Array.from({ length: 16 }, () => commands.send('GET', '/channels/nobody')));
    }
    // Each way takes 200 ms.
    expect(commands.delayMs).toBeGreaterThan(300);
    await waitFor(() => commands.delayMs === 0, { what: 'it to be forgotten', timeoutMs: 3_000 });
  });

  it('whose answer is cut are unknown, were carried out, and are not repeated', async () => {
    const { proxy, commands } = await node();
    const lost = proxy.intercept({ method: 'POST', path: /contract-room/, lose: 'response', how: 'reset' });
    const answer = await commands.send('POST', `${ROOM}?type=mixing`);
    expect(answer).toMatchObject({
      kind: 'unknown',
      text: expect.stringMatching(/^POST \/bridges\/contract-room: \w+/),
    });
    expect(lost.hits()).toBe(1);
    expect(await bridges()).toBe(1);
    lost.release();
    expect(await commands.send('DELETE', ROOM)).toMatchObject({ status: 204 });
  });

  it('that are cut on their way are unknown, and are not repeated', async () => {
    const { proxy, commands } = await node();
    const lost = proxy.intercept({ path: /contract-room/, lose: 'request', how: 'reset' });
    expect((await commands.send('POST', `${ROOM}?type=mixing`)).kind).toBe('unknown');
    expect(lost.hits()).toBe(1);
    expect(await bridges()).toBe(0);
  });

  it('whose answer does not come are unknown after 3 s, and say so in words', async () => {
    const { proxy, commands } = await node();
    const held = proxy.intercept({ method: 'POST', path: /contract-room/, lose: 'response', how: 'hold' });
    const { result, ms } = await timed(commands.send('POST', `${ROOM}?type=mixing`));
    expect(result).toEqual({ kind: 'unknown', text: 'POST /bridges/contract-room: no answer within 3 s' });
    expect(ms).toBeGreaterThan(REQUEST_DEADLINE_MS - 100);
    expect(ms).toBeLessThan(REQUEST_DEADLINE_MS + 1_500);
    expect(held.hits()).toBe(1);
    // The others are not held up, and what was held does no harm when it comes.
    expect(await commands.send('DELETE', ROOM)).toMatchObject({ kind: 'answered' });
    held.release();
    expect(await commands.send('GET', '/bridges')).toMatchObject({ status: 200, body: [] });
  });

  it('into a black hole are all unknown after 3 s, however many they are', async () => {
    const { proxy, commands } = await node();
    await commands.send('GET', '/bridges');
    proxy.set({ blackHole: 'both' });
    const { result, ms } = await timed(
      Promise.all(Array.from({ length: 40 }, () => commands.send('GET', '/channels'))),
    );
    expect(new Set(result.map(({ kind }) => kind))).toEqual(new Set(['unknown']));
    expect(ms).toBeLessThan(REQUEST_DEADLINE_MS + 2_000);
    proxy.set();
    await waitFor(async () => (await commands.send('GET', '/bridges')).kind === 'answered', { what: 'an answer' });
  });

  it('whose answer drips are unknown after 3 s', async () => {
    const { proxy, commands } = await node();
    proxy.set({ bytesPerSecond: 40 });
    const { result, ms } = await timed(commands.send('GET', '/asterisk/modules'));
    expect(result.kind).toBe('unknown');
    expect(ms).toBeLessThan(REQUEST_DEADLINE_MS + 1_500);
  });

  it('that nobody takes were not sent', async () => {
    const { proxy, commands } = await node();
    await proxy.refuse();
    expect(await commands.send('POST', `${ROOM}?type=mixing`)).toEqual({
      kind: 'not-sent',
      text: 'POST /bridges/contract-room: ECONNREFUSED',
    });
    await proxy.accept();
    expect(await commands.send('GET', '/bridges')).toMatchObject({ kind: 'answered', status: 200 });
  });

  it('to a name that does not exist were not sent', async () => {
    const commands = open({ ariUrl: 'http://pbx.invalid:8088/ari', username: 'u', password: 'p' });
    expect((await commands.send('GET', '/bridges')).kind).toBe('not-sent');
  });

  it('that are under way when the client is closed settle, and later ones were not sent', async () => {
    const { proxy, commands } = await node();
    proxy.set({ blackHole: 'both' });
    const waiting = commands.send('GET', '/bridges');
    await waitFor(() => proxy.counters().accepted > 0, { what: 'the request to go out' });
    const { ms } = await timed(commands.close());
    expect(ms).toBeLessThan(1_000);
    expect((await waiting).kind).toBe('unknown');
    expect((await commands.send('GET', '/bridges')).kind).toBe('not-sent');
    proxy.set();
    await waitFor(() => proxy.counters().open === 0, { what: 'nothing to be open' });
  });
});

describe('answers that no Asterisk gives', () => {
  it.each([
    ['a page', '<html>bad gateway</html>', 502, '<html>bad gateway</html>'],
    ['half of it', '{"half":', 200, '{"half":'],
    ['nothing', '', 200, null],
    ['a long text', 'x'.repeat(100_000), 200, 'x'.repeat(200)],
  ])('are told as text, cut short: %s', async (_, text, status, body) => {
    const ari = await FakeAri.start();
    ari.answer = (_request, response) => {
      response.writeHead(status).end(text);
      return true;
    };
    expect(await open(ari.address).send('GET', '/x')).toEqual({ kind: 'answered', status, body });
    expect(ari.requests).toHaveLength(1);
    await ari.stop();
  });

  it('a redirect is told, and not followed: the password goes nowhere else', async () => {
    const [ari, other] = await Promise.all([FakeAri.start(), FakeAri.start()]);
    ari.answer = (_, response) => {
      response.writeHead(307, { location: `${other.ariUrl}/bridges` }).end();
      return true;
    };
    expect(await open(ari.address).send('GET', '/bridges')).toMatchObject({ kind: 'answered', status: 307 });
    expect(other.requests).toEqual([]);
    await Promise.all([ari.stop(), other.stop()]);
  });

  it.each([
    ['nothing, and the end of the connection', ''],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['half a header', 'HTTP/1.1 200 OK\r\ncontent-le'],
    ['half a body', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{'],
  ])('%s: unknown, sent once', async (_, text) => {
    const ari = await FakeAri.start();
    ari.answer = (_request, _response, { socket }) => {
      socket.end(text, () => socket.destroy());
      return true;
    };
    expect((await open(ari.address).send('POST', '/x')).kind).toBe('unknown');
    expect(ari.requests).toHaveLength(1);
    await ari.stop();
  });
});

describe('files from Asterisk', () => {
  const file = Buffer.alloc(400_000, 'sound ');
  const path = '/recordings/stored/contract/file';
  const never = new AbortController().signal;
  beforeAll(() => writeFile(join(lab.dir, 'asterisk/spool/recording/contract.wav'), file));

  async function read(download: AriDownload): Promise<Buffer> {
    if (download.kind !== 'opened') throw new Error(`not opened: ${JSON.stringify(download)}`);
    const chunks: Buffer[] = [];
    for await (const chunk of download.content) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }

  it('come whole, with their length', async () => {
    const { commands } = await node();
    const download = await commands.download(path, never);
    expect(download).toMatchObject({ kind: 'opened', bytes: file.length });
    expect((await read(download)).equals(file)).toBe(true);
  });

  it('that are not there are told by status', async () => {
    const { commands } = await node();
    expect(await commands.download('/recordings/stored/nothing/file', never)).toEqual({
      kind: 'answered',
      status: 404,
    });
  });

  it('that are cut off end with an error, also when nobody reads yet', async () => {
    const { proxy, commands } = await node();
    proxy.set({ resetAfter: { direction: 'down', bytes: 100_000 } });
    await expect(commands.download(path, never).then(read)).rejects.toThrow();
    const { resets } = proxy.counters();
    const unread = await commands.download(path, never);
    await waitFor(() => proxy.counters().resets > resets, { what: 'the file to be cut off' });
    await expect(read(unread)).rejects.toThrow();
  });

  it('that stop coming end with an error in time', async () => {
    const { proxy, commands } = await node();
    proxy.set({ bytesPerSecond: 100_000 });
    const download = await commands.download(path, never);
    proxy.set({ blackHole: 'down' });
    const { ms } = await timed(expect(read(download)).rejects.toThrow());
    expect(ms).toBeLessThan(REQUEST_DEADLINE_MS + 3_000);
  });

  it('are let go when nobody wants them any more, and hold nothing up', async () => {
    const { proxy, commands } = await node();
    proxy.set({ bytesPerSecond: 100_000 });
    const enough = new AbortController();
    const download = await commands.download(path, enough.signal);
    enough.abort();
    await expect(read(download)).rejects.toThrow();
    expect(proxy.counters().bytesDown).toBeLessThan(file.length);
    proxy.set();
    expect(await commands.send('GET', '/asterisk/info')).toMatchObject({ status: 200 });
  });

  it('of a node that is away, or whose session is over, are not opened', async () => {
    const commands = open({ ariUrl: 'http://127.0.0.1:1/ari', username: 'u', password: 'p' });
    expect(await commands.download(path, never)).toEqual({ kind: 'failed', text: 'ECONNREFUSED' });
    await commands.close();
    expect(await commands.download(path, never)).toMatchObject({ kind: 'failed' });
  });
});
