import { appendFile, copyFile, mkdir, mkdtemp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import { ConversationReader } from '../../src/asterisk/audit/conversations.js';
import { openAuditor, type Verdict } from '../../src/asterisk/audit/log-auditor.js';
import { shipCel } from '../../src/asterisk/cel/cel-shipper.js';
import type { Call } from '../../src/calls/domain/call.js';
import { newId } from '../../src/common/ids.js';
import { ApiWorld, type TestTenant } from '../support/api-world.js';
import { celLine, handedBackCaller } from '../support/cel-lines.js';
import { startDatabaseServer } from '../support/database.js';
import { FakeAri } from '../support/fake-ari.js';

const bootedAt = Date.parse('2026-11-22T08:39:46.228Z');
const noon = Date.parse('2026-11-22T12:00:00.000Z');
const did = '4930901820';

let lab: Lab;
let world: ApiWorld;
let tenant: TestTenant;
let ari: FakeAri;
let node: string;
let folder: string;
let log: string;

beforeAll(async () => {
  lab = await startDatabaseServer('own');
});
afterAll(() => lab?.stop());

beforeEach(async () => {
  ari = await FakeAri.start();
  const names =
    'res_ari app_stasis res_stasis res_stasis_answer chan_pjsip func_timeout func_callerid func_strings res_pjsip_header_funcs res_ari_applications res_ari_asterisk res_ari_bridges res_ari_channels res_ari_endpoints res_ari_events';
  ari.documents['/ari/asterisk/modules'] = names.split(' ').map((name) => ({ name: `${name}.so`, status: 'Running' }));
  folder = await mkdtemp(join(tmpdir(), 'ringline-cel-'));
  log = join(folder, 'ringline.csv');
  world = await ApiWorld.start(await lab.postgres.createDatabase());
  tenant = await world.addTenant(['config', 'calls:read']);
  node = await world.addNode({ ...ari.address });
  const agent = await world.ok('POST', '/v1/agents', { key: tenant.key, body: { name: 'Alice' } });
  await world.ok('POST', '/v1/lines', {
    key: tenant.key,
    body: { pbxNodeId: node, number: `+${did}`, did, name: 'Sales', target: { agentIds: [agent.id] } },
  });
  await connected();
});
afterEach(async () => {
  await world?.stop();
  await ari?.stop();
  await rm(folder, { recursive: true, force: true });
});

type Health = { status: string; warnings: { code: string; detail: string; remedy: string }[] };
const health = (of = node): Promise<Health> => world.ok('GET', `/v1/pbx-nodes/${of}/health`);
const send = (lines: readonly string[], key = ApiWorld.platformKey, from = node) =>
  world.request('POST', `/v1/pbx-nodes/${from}/cel`, { key, body: { lines } });

async function connected(to = node): Promise<void> {
  await waitFor(async () => (await health(to)).status !== 'down', { what: 'the session', timeoutMs: 20_000 });
}

async function calls(): Promise<Call[]> {
  const found: Call[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page = await world.ok('GET', `/v1/calls?limit=200${cursor && `&cursor=${cursor}`}`, { key: tenant.key });
    found.push(...page.items);
    cursor = page.nextCursor;
  }
  return found;
}

function someCalls(count: number, timeoutMs = 20_000): Promise<Call[]> {
  return waitFor(
    async () => {
      const found = await calls();
      return found.length >= count && found.every(({ endedAt }) => endedAt !== null) && found;
    },
    { what: `${count} calls`, timeoutMs, everyMs: 200 },
  );
}

async function events(): Promise<number> {
  const [{ count }] = await world.source.query('select count(*)::int as count from call_event');
  return count;
}

async function follow(file: string | null = log): Promise<void> {
  await world.ok('PATCH', `/v1/pbx-nodes/${node}`, { body: { celFile: file } });
}

async function keptOffset(): Promise<number> {
  const [row] = await world.source.query(`select (cel_position->>'offset')::int as at from pbx_node where id = $1`, [
    node,
  ]);
  return row.at ?? 0;
}

const uniqueId = (n: number): string => `${Math.floor(noon / 1000)}.${n}`;
const caller = (n: number, at = noon + n * 1_000): string[] => handedBackCaller(at, uniqueId(n), did);
const text = (lines: readonly string[]): string => `${lines.join('\n')}\n`;

describe('lines that are sent', () => {
  it('make the record of a caller whom nobody told of: whole, exact, and not estimated', async () => {
    expect(await send(caller(1))).toMatchObject({ status: 200, body: { taken: 5, ignored: 1, unreadable: 0 } });
    const [call] = await calls();
    expect(call).toMatchObject({
      direction: 'inbound',
      control: 'driven',
      status: 'ended',
      outcome: 'missed',
      outcomeReason: 'handed-back',
      estimated: false,
      from: { e164: '+4930111222' },
      to: { raw: did },
      startedAt: '2026-11-22T12:00:01.000Z',
      endedAt: '2026-11-22T12:00:04.005Z',
      durationSeconds: 3,
      hangup: { by: 'remote', q850: 16 },
      linkedId: uniqueId(1),
    });
    const { items } = await world.ok('GET', `/v1/calls/${call?.id}/timeline`, { key: tenant.key });
    expect((items as { text: string }[]).map((item) => item.text)).toContainEqual(
      expect.stringMatching(
        /^Ringline did not hear this call begin; it learned of it \S+ \S+ later from Asterisk’s log\.$/,
      ),
    );
  });

  it('make records that do not mix, of two PBXs whose channels are called the same at the same time', async () => {
    const branchAri = await FakeAri.start();
    try {
      branchAri.documents['/ari/asterisk/modules'] = ari.documents['/ari/asterisk/modules'];
      const branch = await world.addNode({ ...branchAri.address });
      const { items } = await world.ok('GET', '/v1/agents', { key: tenant.key });
      await world.ok('POST', '/v1/lines', {
        key: tenant.key,
        body: { pbxNodeId: branch, number: '+4930901821', did, name: 'Branch', target: { agentIds: [items[0].id] } },
      });
      await connected(branch);
      for (const line of caller(1)) {
        await send([line]);
        await send([line], undefined, branch);
      }
      const found = await calls();
      const gist = ({ linkedId, outcome, outcomeReason, startedAt, endedAt, legs }: Call): unknown => [
        linkedId,
        outcome,
        outcomeReason,
        startedAt,
        endedAt,
        legs,
      ];
      expect(found).toHaveLength(2);
      expect(new Set(found.map(({ pbxNodeId }) => pbxNodeId))).toEqual(new Set([node, branch]));
      expect(new Set(found.map(({ line }) => line?.name))).toEqual(new Set(['Branch', 'Sales']));
      expect(gist(found[0]!)).toEqual(gist(found[1]!));
      expect(found[0]).toMatchObject({ status: 'ended', linkedId: uniqueId(1), durationSeconds: 3 });
    } finally {
      await branchAri.stop();
    }
  });

  it('change nothing when they are sent again, together or one by one, in whatever order', async () => {
    await send(caller(1));
    const [before, told] = [await calls(), await events()];
    expect((await send(caller(1))).body).toEqual({ taken: 5, ignored: 1, unreadable: 0 });
    for (const line of caller(1).toReversed()) expect((await send([line])).status).toBe(200);
    expect(await calls()).toEqual(before);
    expect(await events()).toBe(told);
  });

  it('are counted: those of calls, those of no call of ours, and those that are no lines', async () => {
    const foreign = handedBackCaller(noon, uniqueId(8), did).filter((line) => !line.includes('Stasis'));
    const unrouted = handedBackCaller(noon, uniqueId(9), '000');
    const answer = await send([...caller(1), ...foreign, ...unrouted, 'no line', '"half","a']);
    expect(answer.body).toEqual({ taken: 5, ignored: 1 + foreign.length + unrouted.length, unreadable: 2 });
    expect(await calls()).toHaveLength(1);
    // Nobody waits in the switch for an answer.
    expect(ari.requests.filter(({ method, path }) => method === 'POST' && path.includes('/continue'))).toEqual([]);
  });

  it('from before the first run that Ringline knows are nobody’s', async () => {
    expect((await send(handedBackCaller(bootedAt - 60_000, '1.1', did))).body).toMatchObject({ taken: 0, ignored: 6 });
    expect(await calls()).toEqual([]);
  });

  it('are not taken while it is not known which run of the switch wrote them', async () => {
    await ari.stop();
    await waitFor(async () => (await health()).status === 'down', { what: 'the session to end', timeoutMs: 20_000 });
    const answer = await send(caller(1));
    expect(answer).toMatchObject({ status: 503, body: { type: expect.stringMatching(/\/cel-not-taken$/) } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(answer.body.detail).toContain('not connected');
  });

  it('belong to the run that wrote them, though channels are called the same in the next', async () => {
    await send(caller(1));
    const restartedAt = noon + 3_600_000;
    ari.documents['/ari/asterisk/info'] = {
      system: { version: '22.10.1' },
      status: { startup_time: new Date(restartedAt).toISOString().replace('Z', '+0000') },
    };
    ari.cut();
    await waitFor(async () => (await world.source.query('select 1 from pbx_node_boot')).length === 2, {
      what: 'the next run',
      timeoutMs: 20_000,
    });
    await connected();
    expect((await send(handedBackCaller(restartedAt + 5_000, uniqueId(1), did))).body).toMatchObject({ taken: 5 });
    expect(await calls()).toHaveLength(2);
    // Lines of the run before, of a call that is known and of one that is not.
    await send([...caller(1), ...caller(2)]);
    expect((await calls()).map(({ startedAt }) => startedAt).toSorted()).toEqual([
      '2026-11-22T12:00:01.000Z',
      '2026-11-22T12:00:02.000Z',
      '2026-11-22T13:00:05.000Z',
    ]);
  });

  it('are taken one request at a time', async () => {
    const many = Array.from({ length: 150 }, (_, n) => caller(n)).flat();
    const answers = await Promise.all([send(many), send(many), send(many)]);
    const statuses = answers.map(({ status }) => status);
    expect(statuses).toContain(200);
    expect(statuses.every((status) => status === 200 || status === 429)).toBe(true);
    expect(await calls()).toHaveLength(150);
  });
});

describe('lines that are compared with the records', () => {
  async function audit(lines: readonly string[]): Promise<Verdict[]> {
    const reader = new ConversationReader(noon, noon + 600_000);
    for (const line of lines) reader.add(line);
    const auditor = await openAuditor(
      world.source,
      { id: node, app: 'ringline', observe: false },
      noon,
      noon + 600_000,
    );
    const verdicts = reader.conversations().map((conversation) => () => auditor?.check(conversation) ?? null);
    const found: Verdict[] = [];
    for (const verdict of verdicts) found.push(await verdict());
    return found;
  }
  const kinds = (verdicts: readonly Verdict[]): unknown[] =>
    verdicts.map((verdict) =>
      verdict?.map(({ callId, differences, isRepairable }) => [
        callId,
        differences.map(({ kind }) => kind).join(),
        isRepairable,
      ]),
    );

  it('are found missing, and nothing is written', async () => {
    expect(kinds(await audit(caller(1)))).toEqual([[[null, 'missing', true]]]);
    expect([await calls(), await events()]).toEqual([[], 0]);
    await send(caller(1));
    expect(await audit(caller(1))).toEqual([[]]);
  });

  it('are no call where their number is no line', async () => {
    expect(await audit([...handedBackCaller(noon, uniqueId(9), '000')])).toEqual([null]);
  });

  it('are found doubled where two records tell of them', async () => {
    await send([...caller(1), ...caller(2)]);
    const [, first] = await calls();
    const copy = newId();
    await world.source.query(
      `insert into call (tenant_id, id, pbx_node_id, boot, direction, status, outcome, remote_e164, agent_ids, started_at, ended_at, version, document)
       select tenant_id, $2, pbx_node_id, boot, direction, status, outcome, remote_e164, agent_ids, started_at, ended_at, version, document
         from call where id = $1`,
      [first?.id, copy],
    );
    expect(kinds(await audit([...caller(1), ...caller(2)]))).toEqual([[[copy, 'doubled', false]], []]);
  });

  it('of a call that Ringline placed are found missing, and cannot say who asked for it', async () => {
    const leg = `rl-${newId()}-a0c0`;
    const lines = [
      celLine('CHAN_START', noon + 1_000, leg, { channame: 'PJSIP/alice-00000001' }),
      celLine('CHAN_END', noon + 4_000, leg, { channame: 'PJSIP/alice-00000001' }),
    ];
    expect(kinds(await audit(lines))).toEqual([[[null, 'missing', false]]]);
  });
});

describe('a key that may send lines', () => {
  it('is bound to one node, and can do nothing else', async () => {
    const key = await world.addKey(null, ['cel:write'], node);
    const other = await world.addNode();
    expect((await send(caller(1), key)).status).toBe(200);
    const foreign = await world.request('POST', `/v1/pbx-nodes/${other}/cel`, { key, body: { lines: ['x'] } });
    expect(foreign).toMatchObject({ status: 404, body: { type: expect.stringMatching(/\/not-found$/) } });
    for (const [method, path] of [
      ['GET', '/v1/calls'],
      ['GET', '/v1/pbx-nodes'],
      ['GET', '/v1/tenants'],
    ] as const)
      expect((await world.request(method, path, { key, tenant: tenant.id })).status).toBe(403);
    expect((await send(caller(1), tenant.key)).status).toBe(403);
  });

  it.each([
    ['no node', () => ({ scopes: ['cel:write'] }), 'pbxNodeId'],
    ['a tenant', () => ({ scopes: ['cel:write'], pbxNodeId: node, tenantId: tenant.id }), 'scopes'],
    ['another scope', () => ({ scopes: ['cel:write', 'config'], pbxNodeId: node }), 'scopes'],
    ['only another scope', () => ({ scopes: ['config'], pbxNodeId: node, tenantId: tenant.id }), 'scopes'],
    ['the scope platform', () => ({ scopes: ['platform'], pbxNodeId: node }), 'scopes'],
  ])('is not made with %s', async (_, key, field) => {
    const answer = await world.request('POST', '/v1/api-keys', { body: { name: 'pbx', ...key() } });
    expect(answer).toMatchObject({ status: 400, body: { field } });
  });

  it('is not made for a node that is not there, and is no key that could make others', async () => {
    const body = { name: 'pbx', scopes: ['cel:write'], pbxNodeId: '01936c7e-8b2a-7000-8000-123456789012' };
    expect(await world.request('POST', '/v1/api-keys', { body })).toMatchObject({
      status: 404,
      body: { field: 'pbxNodeId' },
    });
    const made = await world.ok('POST', '/v1/api-keys', { body: { ...body, pbxNodeId: node } });
    expect(made).toMatchObject({ tenantId: null, pbxNodeId: node, scopes: ['cel:write'] });
    const raised = await world.request('PATCH', `/v1/api-keys/${made.id}`, { body: { scopes: ['platform'] } });
    expect(raised).toMatchObject({ status: 400, body: { field: 'scopes' } });
    const { items } = await world.ok('GET', '/v1/api-keys');
    const bootstrap = items.find(({ name }: { name: string }) => name === 'bootstrap');
    expect((await world.request('DELETE', `/v1/api-keys/${bootstrap.id}`)).status).toBe(409);
    expect((await world.request('DELETE', `/v1/api-keys/${made.id}`)).status).toBe(204);
  });
});

describe('a log on this host', () => {
  it('is read from its beginning and then followed, and its place is kept', async () => {
    await writeFile(log, text(caller(1)));
    await follow();
    await someCalls(1);
    await appendFile(log, text(caller(2)).slice(0, -30));
    await appendFile(log, text(caller(2)).slice(-30));
    await someCalls(2);
    const size = (await readFile(log)).length;
    await waitFor(async () => (await keptOffset()) === size, { what: 'the place to be kept', timeoutMs: 5_000 });
  });

  it('loses nothing when it is renamed, or copied and cut, while it is written to', async () => {
    await writeFile(log, '');
    await follow();
    const total = 400;
    for (let n = 0; n < total; n++) {
      await appendFile(log, text(caller(n)));
      // Between lines that it has read and lines that it has not.
      if (n % 40 === 20) {
        await rename(log, `${log}.${n}`);
        await writeFile(log, '');
      }
      if (n % 40 === 39) {
        await copyFile(log, `${log}-${n}`);
        await truncate(log);
      }
      if (n % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 30));
    }
    const found = await someCalls(total, 60_000);
    expect(found).toHaveLength(total);
    expect(found.every(({ estimated, outcome }) => !estimated && outcome === 'missed')).toBe(true);
  });

  it('is read again where the place was lost, and that changes nothing', async () => {
    await writeFile(log, text([...caller(1), ...caller(2)]));
    await follow();
    const before = await someCalls(2);
    const told = await events();
    await follow(null);
    await world.source.query('update pbx_node set cel_position = null');
    await appendFile(log, text(caller(3)));
    await follow();
    const after = await someCalls(3);
    expect(after).toEqual(expect.arrayContaining(before));
    expect(await events()).toBe(told + 2);
  });

  it('waits for the database, and then goes on', async () => {
    await writeFile(log, text(caller(1)));
    await follow();
    await someCalls(1);
    await lab.postgres.stop('immediate');
    await appendFile(log, text(caller(2)));
    await lab.postgres.start();
    const found = await waitFor(async () => (await someCalls(2, 1_000).catch(() => null)) ?? undefined, {
      what: 'the call that was logged meanwhile',
      timeoutMs: 60_000,
    });
    expect(found).toHaveLength(2);
  });

  const warning = (code: string) =>
    waitFor(async () => (await health()).warnings.find((one) => one.code === code), {
      what: `the warning ${code}`,
      timeoutMs: 10_000,
    });

  it('is named in the health of its node where it cannot be read, and no longer when it can', async () => {
    await follow();
    expect(await warning('cel-file-missing')).toMatchObject({ detail: expect.stringContaining(log) });
    expect((await health()).status).toBe('degraded');
    await writeFile(log, text(caller(1)));
    await someCalls(1);
    await waitFor(async () => (await health()).status === 'up', { what: 'no warning', timeoutMs: 10_000 });
    await mkdir(join(folder, 'folder'));
    await follow(join(folder, 'folder'));
    expect(await warning('cel-file-unreadable')).toMatchObject({ remedy: expect.stringContaining('user') });
  });

  it('is named where its lines are of another form', async () => {
    await writeFile(
      log,
      text(caller(1).map((line) => line.replace(/"\d+\.\d{6}"/, '"2026-11-22 12:00:01"'))).repeat(5),
    );
    await follow();
    expect(await warning('cel-lines-unreadable')).toMatchObject({ remedy: expect.stringContaining('dateformat') });
    expect(await calls()).toEqual([]);
  });
});

describe('a shipper', () => {
  it('sends a log once it can be sent, goes on where it was, and loses nothing', async () => {
    const key = await world.addKey(null, ['cel:write'], node);
    const [keyFile, stateFile] = [join(folder, 'key'), join(folder, 'state.json')];
    const reports: string[] = [];
    const ship = (signal: AbortSignal): Promise<void> =>
      shipCel({
        file: log,
        url: `${world.url}/`,
        nodeId: node,
        keyFile,
        stateFile,
        report: (line) => void reports.push(line),
        signal,
      });
    const first = new AbortController();
    const running = ship(first.signal);
    await waitFor(() => reports.some((line) => line.includes('ENOENT')), { what: 'the missing log to be told' });
    await writeFile(log, text(caller(1)));
    await waitFor(() => reports.some((line) => line.includes('key')), { what: 'the missing key to be told' });
    await writeFile(keyFile, `${tenant.key}\n`);
    await waitFor(() => reports.some((line) => line.includes('403')), { what: 'the wrong key to be told' });
    await writeFile(keyFile, `${key}\n`);
    await someCalls(1);
    await waitFor(() => readFile(stateFile, 'utf8').catch(() => false), { what: 'the state' });
    first.abort();
    await running;

    // While it is away the log is renamed, and lines of both files are sent.
    await appendFile(log, text(caller(2)));
    await rename(log, `${log}.1`);
    await writeFile(log, text([...caller(3), celLine('CHAN_START', noon, 'x\0y')]));
    const second = new AbortController();
    const again = ship(second.signal);
    const found = await someCalls(3);
    second.abort();
    await again;
    expect(found).toHaveLength(3);
    expect(JSON.parse(await readFile(stateFile, 'utf8'))).toMatchObject({ file: log });
  });
});
