import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../lab/wait-for.js';
import { AsteriskMetrics } from '../../src/asterisk/asterisk-metrics.js';
import { writeAriTime } from '../../src/asterisk/ari-time.js';
import type { NodeMemory } from '../../src/asterisk/node-memory.js';
import { NodeSession } from '../../src/asterisk/node-session.js';
import { readEntry } from '../../src/asterisk/raw-stream/stream-entry.js';
import { StreamRecorder } from '../../src/asterisk/raw-stream/stream-recorder.js';
import type { CallDirector } from '../../src/calls/control/call-director.js';
import type { CallLedger } from '../../src/calls/ledger/call-ledger.js';
import type { LiveCall } from '../../src/calls/ledger/live-call.js';
import type { Told } from '../../src/calls/ledger/told.js';
import { Metrics } from '../../src/metrics/metrics.js';
import { FakeAri } from '../support/fake-ari.js';
import { noLog } from '../support/no-log.js';

let ari: FakeAri;
let node: NodeSession;
let metrics: AsteriskMetrics;
let told: Told[];
/** What happens while the open records are loaded. */
let onLoad: () => Promise<void>;
/** Calls that are under way. */
let open: LiveCall[];
let makeNode: (recorder: StreamRecorder | null, observe?: boolean) => NodeSession;

beforeEach(async () => {
  ari = await FakeAri.start();
  ari.documents['/ari/asterisk/modules'] = [];
  told = [];
  open = [];
  onLoad = () => Promise.resolve();
  metrics = new AsteriskMetrics(
    new Metrics(),
    () => 0,
    () => 0,
  );
  const ledger = {
    trouble: () => null,
    loadOpen: async () => {
      await onLoad();
      return [];
    },
    settled: () => Promise.resolve(),
    openCallsOf: () => open,
    callOfLeg: () => null,
    tell: (one: Told) => void told.push(one),
  } as unknown as CallLedger;
  const director = { follow: () => undefined } as unknown as CallDirector;
  const settings = { ...ari.address, id: 'node', name: 'fake', app: 'ringline', phoneTransfers: 'auto' as const };
  const memory = {
    lastAlive: () => Promise.resolve(null),
    keepAlive: () => Promise.resolve(),
    keepRun: () => Promise.resolve(),
  } as unknown as NodeMemory;
  makeNode = (recorder, observe = false) =>
    new NodeSession({ ...settings, observe }, ledger, director, memory, metrics, noLog, recorder);
  node = makeNode(null);
  ari.answer = modulesAreThere;
});
afterEach(async () => {
  await node.stop();
  await ari.stop();
});

type Answer = FakeAri['answer'];
const names = [
  'res_ari app_stasis res_stasis res_stasis_answer chan_pjsip func_timeout func_callerid func_strings res_pjsip_header_funcs',
  'res_ari_applications res_ari_asterisk res_ari_bridges res_ari_channels res_ari_endpoints res_ari_events',
]
  .join(' ')
  .split(' ');
const modulesAre =
  (...loaded: string[]): Answer =>
  ({ path }, response) => {
    if (path !== '/ari/asterisk/modules') return false;
    response.writeHead(200).end(JSON.stringify(loaded.map((name) => ({ name: `${name}.so`, status: 'Running' }))));
    return true;
  };
const modulesAreThere = modulesAre(...names);
const isUp = () => node.health().status !== 'down';
const gauge = async (): Promise<number> => (await metrics.connected.get()).values[0]?.value ?? 0;
const openSockets = () => ari.sockets.filter(({ readyState }) => readyState === 1);

describe('the session of a node', () => {
  it('follows what the switch tells, from the first event on', async () => {
    onLoad = async () => {
      ari.send({ type: 'StasisEnd', channel: { id: 'early' }, timestamp: '2026-11-22T08:40:00.000+0000' });
    };
    node.start();
    await waitFor(isUp, { what: 'the connection' });
    ari.send({ type: 'StasisEnd', channel: { id: 'later' }, timestamp: '2026-11-22T08:40:01.000+0000' });
    await waitFor(() => told.length === 2, { what: 'both events' });
    expect(told.map(({ leg }) => leg)).toEqual(['early', 'later']);
    expect(node.boot).toBe('2026-11-22T08:39:46.228+0000');
  });

  it('tells each call that was under way of a while in which nothing was heard, once and last', async () => {
    const identity = { id: 'call', tenantId: 'tenant', pbxNodeId: 'node' };
    open = [{ identity, boot: 'boot', legs: [], observed: null } as unknown as LiveCall];
    node.start();
    await waitFor(isUp, { what: 'the connection' });
    expect(told).toEqual([]);
    const cutAt = Date.now();
    ari.cut();
    ari.send({ type: 'StasisEnd', channel: { id: 'unheard' } });
    await waitFor(() => told.length > 0, { what: 'the gap', timeoutMs: 15_000 });
    expect(told).toMatchObject([
      { leg: 'call', boot: 'boot', call: { id: 'call', tenantId: 'tenant' }, facts: [{ kind: 'gap' }] },
    ]);
    const [gap] = told[0]?.facts ?? [];
    if (gap?.kind !== 'gap') throw new Error('no gap is told');
    expect(gap.data.what).toBe('not-heard');
    expect(gap.at).toBeLessThanOrEqual(Date.now());
    expect(gap.data.until).toBeGreaterThanOrEqual(cutAt);
  });

  it('has what ended in that while end when it began, whatever is heard before the comparison', async () => {
    const identity = { id: 'call', tenantId: 'tenant', pbxNodeId: 'node' };
    node.start();
    await waitFor(async () => (await metrics.reconciles.get()).values[0]?.value === 1, { what: 'the comparison' });
    const leg = { id: 'leg', createdAt: Date.now(), stays: [], ended: null, refused: null };
    open = [{ identity, boot: 'the run before', legs: [leg], observed: null } as unknown as LiveCall];
    onLoad = async () => {
      ari.send({ type: 'StasisEnd', channel: { id: 'other' } });
    };
    ari.cut();
    await waitFor(() => !isUp(), { what: 'the cut to be noticed', everyMs: 5 });
    const noticedAt = Date.now();
    const end = await waitFor(() => told.flatMap(({ facts }) => facts).find(({ kind }) => kind === 'ended'), {
      what: 'the end',
    });
    expect(end.at).toBeGreaterThan(leg.createdAt);
    expect(end.at).toBeLessThanOrEqual(noticedAt);
  });

  it('is not there while the switch’s channels cannot be read, and is once they can', async () => {
    let stalled = true;
    ari.answer = (request, response, raw) =>
      (stalled && request.path === '/ari/channels') || modulesAreThere(request, response, raw);
    node.start();
    await waitFor(() => node.health().lastError, { what: 'the failure to be told', timeoutMs: 15_000 });
    expect(node.health()).toMatchObject({ status: 'down', summary: expect.stringContaining('channels') });
    expect(node.boot).toBeNull();
    expect(await gauge()).toBe(0);
    stalled = false;
    await waitFor(isUp, { what: 'the connection', timeoutMs: 20_000 });
    ari.send({ type: 'StasisEnd', channel: { id: 'heard' } });
    await waitFor(() => told.length === 1, { what: 'its events, each once' });
    expect(openSockets()).toHaveLength(1);
    expect(await gauge()).toBe(1);
  });

  it('is not taken for connected when it ends while the records are loaded', async () => {
    let loads = 0;
    let goOn!: () => void;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    onLoad = async () => {
      if (++loads > 1) return held;
      ari.cut();
      await waitFor(() => openSockets().length === 0, { what: 'the cut' });
      // The end of the socket is heard a turn later.
      await new Promise((resolve) => setTimeout(resolve, 50));
    };
    node.start();
    await waitFor(() => loads > 1, { what: 'the next attempt' });
    expect(node.health().status).toBe('down');
    expect(node.boot).toBeNull();
    expect(await gauge()).toBe(0);
    goOn();
    await waitFor(isUp, { what: 'the connection' });
    expect(await gauge()).toBe(1);
  });

  it('ends when it is stopped while it opens', async () => {
    let stopped: Promise<void> | undefined;
    onLoad = () => {
      stopped = node.stop();
      return Promise.resolve();
    };
    node.start();
    await waitFor(() => stopped !== undefined, { what: 'the records to be loaded' });
    await Promise.race([stopped, waitFor(() => false, { what: 'the session to end', timeoutMs: 5_000 })]);
    await waitFor(() => openSockets().length === 0, { what: 'its socket to close' });
    expect(await gauge()).toBe(0);
  });

  it('gives a caller back who comes while its end is still on its way to the switch', async () => {
    node.start();
    await waitFor(isUp, { what: 'the connection' });
    const [socket] = openSockets();
    socket?.pause();
    const stopped = node.stop();
    await new Promise((resolve) => setTimeout(resolve, 100));
    ari.documents['/ari/channels'] = [
      {
        id: 'late',
        state: 'Ring',
        dialplan: { app_name: 'Stasis', app_data: 'ringline,inbound,+4930111', context: 'in', exten: 's' },
        creationtime: '2026-11-22T08:40:00.000+0000',
      },
    ];
    socket?.resume();
    await stopped;
    expect(ari.requests).toContainEqual(expect.objectContaining({ path: '/ari/channels/late/continue' }));
    expect(told).toMatchObject([{ leg: 'late', arrival: {} }]);
  });

  it('does not fight for its app name, also when it is taken while the session opens', async () => {
    let opened = 0;
    ari.upgrade = () => {
      opened++;
      void waitFor(() => ari.sockets[opened - 1], { what: 'the socket', everyMs: 1 }).then(() =>
        ari.send({ type: 'ApplicationReplaced', application: 'ringline' }),
      );
      return false;
    };
    node.start();
    await waitFor(() => node.health().lastError?.detail.includes('another client took the app name'), {
      what: 'the node to give way',
    });
    await waitFor(() => openSockets().length === 0, { what: 'the socket to close' });
    expect(opened).toBe(1);
    expect(isUp()).toBe(false);
    // It tries again after the hold-off only; without one it would have by now.
    await expect(waitFor(() => opened > 1, { what: 'nothing', timeoutMs: 1_500 })).rejects.toThrow('in vain');
  });

  it('measures the clock of the switch by an event that it asks for, not by one that was long on its way', async () => {
    const event = (type: string, offsetMs: number, more = {}) =>
      ari.send({ type, timestamp: writeAriTime(Date.now() + offsetMs), ...more });
    ari.answer = (request, response, raw) => {
      if (!request.path.startsWith('/ari/events/user/')) return modulesAreThere(request, response, raw);
      const [, eventname] = /user\/([^?]+)\?application=ringline$/.exec(request.path) ?? [];
      event('ChannelUserevent', 5_000, { eventname });
      response.writeHead(204).end();
      return true;
    };
    node.start();
    await waitFor(() => isUp() && node.clockOffsetMs !== 0, { what: 'the clock to be known' });
    event('StasisEnd', -2_000_000, { channel: { id: 'old' } });
    await waitFor(() => told.length === 1, { what: 'the old event' });
    expect(Math.abs(node.clockOffsetMs - 5_000)).toBeLessThan(1_000);
    expect(node.health()).toMatchObject({ status: 'degraded', warnings: [{ code: 'clock-offset' }] });
  });

  it('goes on with its times when the clock of the switch is set back, and says so', async () => {
    const identity = { id: 'call', tenantId: 'tenant', pbxNodeId: 'node' };
    open = [{ identity, boot: 'boot', legs: [], observed: null } as unknown as LiveCall];
    node.start();
    await waitFor(isUp, { what: 'the connection' });
    const event = (type: string, offsetMs: number) =>
      ari.send({
        type,
        channel: { id: 'leg' },
        timestamp: writeAriTime(Date.now() + offsetMs),
      });
    event('StasisEnd', 0);
    event('ChannelDestroyed', -90_000);
    await waitFor(() => told.length === 2, { what: 'both events' });
    const [left, ended] = told.map(({ facts }) => facts[0]?.at ?? NaN);
    expect(Math.abs((ended ?? NaN) - (left ?? NaN))).toBeLessThan(1_000);
    const [warning] = node.health().warnings;
    expect(warning).toMatchObject({
      code: 'clock-set-back',
      detail: expect.stringMatching(/ set back by (89|90)\.\d s /),
    });
  });

  it('is recorded from what was found at its start to its end, with what the switch had', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ringline-streams-'));
    const recorder = new StreamRecorder(folder, metrics, noLog);
    node = makeNode(recorder);
    ari.documents['/ari/channels'] = [{ id: 'there', state: 'Up' }, { id: 5 }];
    node.start();
    await waitFor(async () => (await metrics.reconciles.get()).values[0]?.value === 1, { what: 'the comparison' });
    ari.send('not JSON');
    ari.send('{"type":"StasisEnd","channel":{"id":"heard"}}');
    await waitFor(() => told.length === 1, { what: 'the event' });
    await node.stop();
    await recorder.close();
    const [file = ''] = await readdir(folder);
    const entries = (await readFile(join(folder, file), 'utf8')).trimEnd().split('\n').map(readEntry);
    await rm(folder, { recursive: true });
    for (const entry of entries)
      expect(entry).toMatchObject({ node: 'node', boot: '2026-11-22T08:39:46.228+0000', app: 'ringline' });
    expect(entries).toMatchObject([
      { kind: 'opened', report: { version: '22.10.1' } },
      { kind: 'snapshot', channels: [{ id: 'there' }], bridges: [], takenAt: expect.any(Number) },
      { kind: 'frame', text: 'not JSON' },
      { kind: 'frame', text: '{"type":"StasisEnd","channel":{"id":"heard"}}' },
      { kind: 'closed', reason: 'Ringline is stopping' },
    ]);
  });

  it('names what is wrong in words that a person understands', async () => {
    ari.answer = (request, response, raw) => {
      if (!request.path.endsWith('resources.json')) return modulesAreThere(request, response, raw);
      response.writeHead(503).end();
      return true;
    };
    node.start();
    await waitFor(() => node.health().lastError, { what: 'the failure' });
    expect(node.health().summary).toMatch(/^The session cannot be opened: 503\b.*\.$/);
  });
});

describe('the health of a node that is observed', () => {
  const subscribes = '/ari/applications/ringline-obs-0/subscription?eventSource=';
  let modules: Answer;
  /** How the node answers to a subscription. */
  let status: number;
  const codes = () => node.health().warnings.map(({ code }) => code);
  const observer = () => waitFor(() => openSockets().length === 2, { what: 'the second connection' });
  const frame = (channelvars?: Record<string, string>) =>
    ari.send({ type: 'ChannelStateChange', channel: { id: '1.1', name: 'PJSIP/1001-00000001', channelvars } });

  beforeEach(() => {
    node = makeNode(null, true);
    modules = modulesAreThere;
    status = 200;
    ari.answer = (request, response, raw) => {
      if (!request.path.startsWith('/ari/applications/ringline-obs-0/')) return modules(request, response, raw);
      response.writeHead(request.path.startsWith(subscribes) ? status : 200).end('{}');
      return true;
    };
  });

  it('has nothing to say where events carry the linked id', async () => {
    node.start();
    await observer();
    frame({ 'CHANNEL(linkedid)': '1.1' });
    await waitFor(() => told.length > 0, { what: 'what is observed' });
    await waitFor(() => ari.requests.filter(({ path }) => path.startsWith(subscribes)).length === 2, {
      what: 'the subscriptions',
    });
    await waitFor(() => node.health().status === 'up', { what: 'the health' });
    expect(node.health().warnings).toEqual([]);
    const asked = ari.requests.map(({ path }) => decodeURIComponent(path));
    expect(asked.filter((path) => path.startsWith(subscribes))).toEqual([
      `${subscribes}channel:`,
      `${subscribes}bridge:`,
    ]);
    expect(asked.filter((path) => path.includes('subscribeAll=true'))).toEqual([]);
  });

  it('warns while events carry no linked id, and says what to write', async () => {
    node.start();
    await observer();
    frame();
    await waitFor(() => codes().length > 0, { what: 'the warning' });
    expect(node.health()).toMatchObject({
      status: 'degraded',
      warnings: [{ code: 'linked-id-missing', remedy: expect.stringContaining('channelvars=CHANNEL(linkedid)') }],
    });
    frame({ 'CHANNEL(linkedid)': '' });
    frame({ 'CHANNEL(linkedid)': '1.1' });
    await waitFor(() => codes().length === 0, { what: 'the warning to go' });
  });

  it('warns where the device states of Stasis are loaded', async () => {
    modules = modulesAre(...names, 'res_stasis_device_state');
    node.start();
    await observer();
    expect(node.health()).toMatchObject({
      status: 'degraded',
      warnings: [
        { code: 'device-states-loaded', remedy: expect.stringContaining('noload=res_stasis_device_state.so') },
      ],
    });
    // Only who is observed is warned of it.
    await node.stop();
    node = makeNode(null);
    node.start();
    await waitFor(isUp, { what: 'the connection' });
    expect(codes()).toEqual([]);
  });

  it('warns while the node does not subscribe the second connection, and leaves none open', async () => {
    status = 422;
    node.start();
    await waitFor(() => codes().length > 0, { what: 'the warning' });
    expect(node.health().warnings).toMatchObject([{ code: 'not-observing', detail: expect.stringContaining('422') }]);
    await waitFor(() => openSockets().length === 1, { what: 'its socket to close' });
    status = 200;
    await waitFor(() => codes().length === 0 && openSockets().length === 2, {
      what: 'the observer',
      timeoutMs: 10_000,
    });
  });

  it('tells the calls that it observes, and no others, of a while in which only the second connection was cut', async () => {
    const call = (id: string, observed: unknown): LiveCall =>
      ({
        identity: { id, tenantId: 'tenant', pbxNodeId: 'node' },
        boot: 'boot',
        legs: [],
        observed,
      }) as unknown as LiveCall;
    open = [call('driven', null), call('observed', {})];
    node.start();
    await observer();
    await waitFor(() => ari.requests.filter(({ path }) => path.startsWith(subscribes)).length === 2, {
      what: 'the subscriptions',
    });
    openSockets()[1]?.close();
    await waitFor(() => told.length > 0, { what: 'the gap', timeoutMs: 10_000 });
    expect(told).toMatchObject([{ leg: 'observed', facts: [{ kind: 'gap', data: { what: 'not-heard' } }] }]);
  });

  it('warns when another program takes the name of the second connection', async () => {
    node.start();
    await observer();
    await waitFor(() => ari.requests.some(({ path }) => path.startsWith(subscribes)), { what: 'the subscription' });
    openSockets()[1]?.send(JSON.stringify({ type: 'ApplicationReplaced', application: 'ringline-obs-0' }));
    await waitFor(() => codes().includes('not-observing'), { what: 'the warning' });
    expect(node.health().warnings[0]?.detail).toContain('another program took its app name');
  });
});
