import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startFaultProxy, type FaultProxy } from '../../lab/fault-proxy.js';
import { compiledFolder } from '../../lab/ringline.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import { parseAriTime } from '../../src/asterisk/ari-time.js';
import { openAriSession, type AriSession } from '../../src/asterisk/session/ari-session.js';
import { FakeAri } from '../support/fake-ari.js';
import { SessionLog } from '../support/session-log.js';

let lab: Lab;
const proxies: FaultProxy[] = [];
const sessions: AriSession[] = [];

beforeAll(async () => {
  lab = await startLab({ postgres: false, redis: false, report: () => undefined });
}, 240_000);
afterEach(async () => {
  for (const session of sessions.splice(0)) void session.close('the test is over');
  await Promise.all(proxies.splice(0).map((proxy) => proxy.stop()));
});
afterAll(() => lab?.stop());

/** A proxy for each session: what one breaks is not the other's. */
async function proxied(): Promise<FaultProxy> {
  const proxy = await startFaultProxy(lab.asterisk.ariUrl);
  proxies.push(proxy);
  return proxy;
}

async function open(ariUrl: string, app: string, log = new SessionLog()) {
  const { username, password } = lab.asterisk;
  const session = await openAriSession({ ariUrl, username, password }, app, log);
  sessions.push(session);
  return { session, log };
}

/** How long something took to fail, and with what. */
async function failure(work: Promise<unknown>): Promise<{ readonly message: string; readonly ms: number }> {
  const startedAt = performance.now();
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Error);
  return { message: (error as Error).message, ms: performance.now() - startedAt };
}

describe('a session with Asterisk', () => {
  it('hears of its channels, reads channels and bridges, and leaves nothing open when it is closed', async () => {
    const proxy = await proxied();
    const { session, log } = await open(proxy.url, 'contract-a');
    const { password } = lab.asterisk;
    const headers = { authorization: `Basic ${Buffer.from(`ringline:${password}`).toString('base64')}` };
    await fetch(`${lab.asterisk.ariUrl}/bridges/read-me?type=mixing`, { method: 'POST', headers });
    const create = { endpoint: 'Local/direct-agent1@from-trunk', app: 'contract-a', channelId: 'read-me' };
    await fetch(`${lab.asterisk.ariUrl}/channels/create`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(create),
    });
    expect((await log.frame('StasisStart')).channel?.id).toBe('read-me');
    const channels = await session.channels();
    // Plain data: nothing of it points back at the client.
    expect(channels.find(({ id }) => id === 'read-me')).toEqual(JSON.parse(JSON.stringify(channels[0])));
    expect((await session.bridges()).map(({ id }) => id)).toEqual(['read-me']);
    await fetch(`${lab.asterisk.ariUrl}/channels/read-me`, { method: 'DELETE', headers });
    await fetch(`${lab.asterisk.ariUrl}/bridges/read-me`, { method: 'DELETE', headers });
    expect((await log.frame('StasisEnd')).channel?.id).toBe('read-me');
    // An event that is asked for comes at once, and says what time it is there: so the clocks are compared.
    const askedAt = Date.now();
    await fetch(`${lab.asterisk.ariUrl}/events/user/clock?application=contract-a`, { method: 'POST', headers });
    const clock = await log.frame('ChannelUserevent');
    expect(clock.eventname).toBe('clock');
    expect(parseAriTime(clock.timestamp)).toBeGreaterThanOrEqual(askedAt);
    expect(parseAriTime(clock.timestamp)).toBeLessThanOrEqual(Date.now());
    void session.close('enough');
    expect(log.closed).toEqual(['enough']);
    expect(log.bad).toEqual([]);
    await expect(session.channels()).rejects.toThrow('the session is over');
    await waitFor(() => proxy.counters().open === 0, { what: 'nothing to be open', timeoutMs: 20_000 });
  });

  it('is told when another takes its app name, and still ends but once', async () => {
    const first = await open(lab.asterisk.ariUrl, 'contract-b');
    const second = await open(lab.asterisk.ariUrl, 'contract-b');
    expect((await first.log.frame('ApplicationReplaced')).application).toBe('contract-b');
    void first.session.close('replaced');
    void first.session.close('again');
    expect(first.log.closed).toEqual(['replaced']);
    expect(second.log.closed).toEqual([]);
    expect(await second.session.bridges()).toEqual([]);
  });

  it('ends once when its connection is reset, and its reads end with it', async () => {
    const proxy = await proxied();
    const { session, log } = await open(proxy.url, 'contract-c');
    proxy.intercept({ path: /\/ari\/channels/, lose: 'response', how: 'hold' });
    const reading = failure(session.channels());
    await waitFor(() => proxy.counters().requests > 0, { what: 'the read' });
    proxy.reset();
    await log.end();
    expect((await reading).ms).toBeLessThan(2_000);
    await failure(session.bridges());
    void session.close('again');
    expect(log.closed).toHaveLength(1);
  });

  it('ends when Asterisk’s side says goodbye', async () => {
    const proxy = await proxied();
    const { log } = await open(proxy.url, 'contract-d');
    proxy.halfClose('client');
    await log.end();
    expect(log.closed).toHaveLength(1);
  });

  it('that hears nothing any more ends after 9 s', async () => {
    const proxy = await proxied();
    const quiet = await open(lab.asterisk.ariUrl, 'contract-f');
    const { session, log } = await open(proxy.url, 'contract-e');
    const startedAt = performance.now();
    proxy.set({ blackHole: 'both' });
    const { ms, message } = await failure(session.channels());
    expect(message).toContain('took over 3 s');
    expect(ms).toBeLessThan(4_500);
    expect(await log.end(20_000)).toContain('nothing heard for 9 s');
    const seconds = (performance.now() - startedAt) / 1000;
    expect(seconds).toBeGreaterThan(8.5);
    expect(seconds).toBeLessThan(11);
    expect(log.closed).toHaveLength(1);
    // The other one heard no event either, but its pings were answered.
    expect(quiet.log.closed).toEqual([]);
  });

  it('whose reads fail goes on, and reads again', async () => {
    const proxy = await proxied();
    const { session, log } = await open(proxy.url, 'contract-g');
    const cut = proxy.intercept({ path: /\/ari\/bridges/, lose: 'response', how: 'reset' });
    await failure(session.bridges());
    cut.release();
    expect(await session.bridges()).toEqual([]);
    expect(log.closed).toEqual([]);
  });
});

/** What ari-client asks for while it opens, as Asterisk’s own catalogue lists it. */
const faults = [
  ...['resources', 'asterisk', 'channels', 'bridges', 'endpoints', 'events'].map((name) => ({
    name,
    path: new RegExp(`/api-docs/${name}\\.json`),
  })),
  { name: 'the event socket', path: /\/ari\/events\?/ },
].flatMap((step) => (['reset', 'hold'] as const).map((how) => ({ ...step, how })));

describe('a server that fails while a session opens', () => {
  it.concurrent.each(faults)('by $how at $name: the opening fails in time, nothing is left', async (fault) => {
    const proxy = await startFaultProxy(lab.asterisk.ariUrl);
    const { path, how, name } = fault;
    const lost = proxy.intercept({ path, lose: 'response', how });
    const log = new SessionLog();
    const { username, password } = lab.asterisk;
    const app = `contract-${how}-${name.replaceAll(' ', '-')}`;
    const { ms } = await failure(openAriSession({ ariUrl: proxy.url, username, password }, app, log));
    expect(lost.hits()).toBeGreaterThan(0);
    // Ten seconds for the catalogue, three for the socket, and what a busy machine adds.
    expect(ms).toBeLessThan(14_000);
    expect(log.closed).toEqual([]);
    lost.release();
    await waitFor(() => proxy.counters().open === 0, { what: 'nothing to be open', timeoutMs: 20_000 });
    await proxy.stop();
  });

  it('by listening no more: refused at once', async () => {
    const proxy = await proxied();
    await proxy.refuse();
    const { message, ms } = await failure(open(proxy.url, 'contract-refused'));
    expect(message).toContain('ECONNREFUSED');
    expect(ms).toBeLessThan(2_000);
  });

  it('by refusing the login', async () => {
    const { ariUrl, username } = lab.asterisk;
    const opening = openAriSession({ ariUrl, username, password: 'wrong' }, 'contract-x', new SessionLog());
    expect((await failure(opening)).message).toMatch(/401/);
  });
});

describe('the process of a session', () => {
  it('outlives all of it, says nothing, and ends by itself once its sessions are closed', async () => {
    const ari = await FakeAri.start();
    const other = await FakeAri.start();
    ari.upgrade = () => {
      void waitFor(() => ari.sockets.at(-1), { what: 'the socket', everyMs: 5 }).then(() => {
        for (const frame of ['not JSON', '[]', '{"type":"Unheard"}', `{"type":"Big","x":"${'x'.repeat(60_000)}"}`])
          ari.send(frame);
        ari.send({ type: 'Last' });
      });
      return false;
    };
    const script = `
      import { openAriSession } from ${JSON.stringify(`${await compiledFolder()}/src/asterisk/session/ari-session.js`)};
      const seen = [];
      let last;
      const heard = new Promise((resolve) => (last = resolve));
      const handlers = {
        onFrame: ({ type }) => { seen.push(type); if (type === 'Last') last(); },
        onBadFrame: (reason) => seen.push('bad'),
        onClosed: (reason) => seen.push('closed'),
      };
      const address = ${JSON.stringify(ari.address)};
      for (const wrong of [{ password: 'wrong' }, { ariUrl: 'http://127.0.0.1:1/ari' }])
        await openAriSession({ ...address, ...wrong }, 'ringline', handlers).catch(() => seen.push('refused'));
      const session = await openAriSession(address, 'ringline', handlers);
      await heard;
      await fetch(${JSON.stringify(`${other.ariUrl}/cut`)});
      await session.channels().catch(() => seen.push('no answer'));
      void session.close('enough');
      console.log(JSON.stringify(seen));
    `;
    other.answer = (_, response) => {
      ari.cut();
      response.end();
      return true;
    };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      timeout: 45_000,
    });
    expect(JSON.parse(stdout)).toEqual([
      'refused',
      'refused',
      'bad',
      'bad',
      'Unheard',
      'Big',
      'Last',
      'closed',
      'no answer',
    ]);
    expect(stderr).toBe('');
    await ari.stop();
    await other.stop();
  });
});
