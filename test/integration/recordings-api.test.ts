import { existsSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../../lab/start-lab.js';
import { newId } from '../../src/common/ids.js';
import { SecretBox } from '../../src/common/secret-box.js';
import { signPlayToken } from '../../src/recordings/play-token.js';
import { RecordingsForCrm } from '../../src/recordings/recordings-for-crm.js';
import { ApiWorld, type TestTenant } from '../support/api-world.js';
import { startDatabaseServer } from '../support/database.js';
import { addRecordedCall, type RecordedCall } from '../support/recorded-call.js';

const secretKey = 'cd'.repeat(32);

let lab: Lab;
let world: ApiWorld;
let tenant: TestTenant;
let stranger: TestTenant;
let nodeId: string;
let recorded: RecordedCall;

beforeAll(async () => {
  lab = await startDatabaseServer();
  world = await ApiWorld.start(await lab.postgres.createDatabase(), { env: { SECRET_KEY: secretKey } });
  const scopes = ['recordings:read', 'calls:read', 'calls:write'] as const;
  tenant = await world.addTenant(scopes);
  stranger = await world.addTenant(scopes);
  nodeId = await world.addNode();
  recorded = await add();
});
afterAll(async () => {
  await world?.stop();
  await lab?.stop();
});

type State = NonNullable<Parameters<typeof addRecordedCall>[2]['state']>;
const add = (state: State = 'removed') =>
  addRecordedCall(world.source, world.dataDir, { tenantId: tenant.id, nodeId, state });

const pathOf = ({ callId, recordingId }: RecordedCall) => `/v1/calls/${callId}/recordings/${recordingId}`;
const own = () => ({ key: tenant.key });

/** A request whose answer is bytes; without a key when `key` is null. */
async function hear(
  path: string,
  options: { key?: string | null; headers?: Record<string, string>; method?: string } = {},
): Promise<{ status: number; headers: Headers; bytes: Buffer }> {
  const { key = tenant.key, headers, method = 'GET' } = options;
  const response = await fetch(world.url + path, {
    method,
    headers: { ...(key !== null && { authorization: `Bearer ${key}` }), ...headers },
  });
  return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
}

/** The path of a link, as its URL has it behind PUBLIC_URL. */
const linkPath = (url: string): string => url.replace('http://ringline.test', '');

const audit = (recordingId: string): Promise<{ action: string; actor_key_id: string | null; detail: any }[]> =>
  world.source.query(`select action, actor_key_id, detail from audit_entry where target_id = $1 order by at, id`, [
    recordingId,
  ]);

describe('the media of a recording', () => {
  it('is sent as a file that is stored nowhere on its way', async () => {
    const answer = await hear(`${pathOf(recorded)}/media`);
    expect(answer.status).toBe(200);
    expect(answer.bytes.equals(recorded.file)).toBe(true);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'audio/wav',
      'content-length': String(recorded.file.length),
      'content-disposition': `attachment; filename="${recorded.recordingId}.wav"`,
      'accept-ranges': 'bytes',
      'cache-control': 'private, no-store',
      'x-content-type-options': 'nosniff',
      etag: expect.stringMatching(/^"[A-Za-z0-9_-]{43}"$/),
    });
  });

  it('is sent in parts, and unchanged parts are not sent again', async () => {
    const path = `${pathOf(recorded)}/media`;
    const { length } = recorded.file;
    const part = await hear(path, { headers: { range: 'bytes=100-299' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 100-299/${length}`]);
    expect(part.bytes.equals(recorded.file.subarray(100, 300))).toBe(true);
    const last = await hear(path, { headers: { range: 'bytes=-5' } });
    expect(last.bytes.equals(recorded.file.subarray(-5))).toBe(true);
    const beyond = await hear(path, { headers: { range: `bytes=${length}-` } });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, `bytes */${length}`]);
    expect(JSON.parse(beyond.bytes.toString())).toMatchObject({
      type: expect.stringMatching(/range-not-satisfiable$/),
    });
    const etag = part.headers.get('etag') ?? '';
    expect((await hear(path, { headers: { 'if-none-match': etag } })).status).toBe(304);
    expect((await hear(path, { headers: { range: 'bytes=0-9', 'if-range': etag } })).status).toBe(206);
    expect((await hear(path, { headers: { range: 'bytes=0-9', 'if-range': '"other"' } })).status).toBe(200);
  });

  it('answers HEAD with the headers alone', async () => {
    const head = await hear(`${pathOf(recorded)}/media`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(recorded.file.length)]);
    expect(head.bytes.length).toBe(0);
  });

  it('is heard by nobody without its being written down', async () => {
    const one = await add();
    await hear(`${pathOf(one)}/media`, { headers: { range: 'bytes=44-99' } });
    await hear(`${pathOf(one)}/media`, { method: 'HEAD' });
    await hear(`${pathOf(one)}/media`, { headers: { range: 'bytes=9999999-' } });
    expect(await audit(one.recordingId)).toEqual([
      { action: 'recording.heard', actor_key_id: expect.any(String), detail: { via: 'api', bytes: '44-99' } },
    ]);
  });

  it.each<[State, string]>([
    ['recording', 'The recording is being made.'],
    ['finished', 'The recording is on its way from the PBX.'],
    ['failed', 'It is lost.'],
    ['erased', 'The recording was erased.'],
  ])('that is %s is refused with the reason', async (state, detail) => {
    const one = await add(state);
    const { status, body } = await world.request('GET', `${pathOf(one)}/media`, own());
    expect([status, body.type]).toEqual([409, 'http://ringline.test/problems/recording-unavailable']);
    expect(body.detail).toContain(detail);
  });

  it('whose file is missing is refused', async () => {
    const one = await add();
    const { unlinkSync } = await import('node:fs');
    unlinkSync(one.path);
    const { status, body } = await world.request('GET', `${pathOf(one)}/media`, own());
    expect([status, body.detail]).toEqual([409, 'The file is missing from Ringline’s storage.']);
  });

  it('is there for its own tenant, its own call and its scope only', async () => {
    const other = await add();
    const crossed = `/v1/calls/${other.callId}/recordings/${recorded.recordingId}/media`;
    expect((await hear(crossed)).status).toBe(404);
    expect((await hear(`${pathOf(recorded)}/media`, { key: stranger.key })).status).toBe(404);
    expect((await hear(`${pathOf(recorded)}/media`, { key: null })).status).toBe(401);
    const reader = await world.addKey(tenant.id, ['calls:read', 'calls:write']);
    expect((await hear(`${pathOf(recorded)}/media`, { key: reader })).status).toBe(403);
  });

  it.each([
    '../../../../etc/passwd',
    '..%2f..%2f..%2fetc%2fpasswd',
    '%2e%2e/%2e%2e/secret-key',
    '....//....//secret-key',
    '%00',
    'secret-key',
    '%c0%ae%c0%ae/secret-key',
  ])('has no way to other files: %s', async (id) => {
    // As it is: fetch would tidy the path up.
    const status = await new Promise<number>((resolve, reject) => {
      const path = `/v1/calls/${recorded.callId}/recordings/${id}/media`;
      const { port } = new URL(world.url);
      httpRequest({ port, path, headers: { authorization: `Bearer ${tenant.key}` } }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
        .on('error', reject)
        .end();
    });
    expect([400, 404]).toContain(status);
  });
});

describe('a link for playing', () => {
  const box = new SecretBox(secretKey);
  const make = (body: object, one = recorded) =>
    world.request('POST', `${pathOf(one)}/links`, { ...own(), body: { purpose: 'play', ...body } });

  it('is heard without a key, in parts too, until it expires', async () => {
    const one = await add();
    const { status, body } = await make({ expiresInSeconds: 120 }, one);
    expect([status, body.id, body.purpose]).toEqual([201, null, 'play']);
    const lives = Date.parse(body.expiresAt) - Date.now();
    expect(lives).toBeGreaterThan(100_000);
    expect(lives).toBeLessThanOrEqual(120_000);
    const whole = await hear(linkPath(body.url), { key: null });
    expect([whole.status, whole.headers.get('cross-origin-resource-policy')]).toEqual([200, 'cross-origin']);
    expect(whole.bytes.equals(one.file)).toBe(true);
    const part = await hear(linkPath(body.url), { key: null, headers: { range: 'bytes=0-43' } });
    expect([part.status, part.bytes.length]).toEqual([206, 44]);
    expect((await audit(one.recordingId)).map(({ action, detail }) => [action, detail])).toEqual([
      ['recording.link-created', { purpose: 'play', expiresInSeconds: 120 }],
      ['recording.heard', { via: 'play', bytes: `0-${one.file.length - 1}` }],
      ['recording.heard', { via: 'play', bytes: '0-43' }],
    ]);
  });

  it.each([119, 901, 0, -5, 1.5, '300', null])('lives two to fifteen minutes, not %j', async (expiresInSeconds) => {
    expect((await make({ expiresInSeconds })).status).toBe(400);
  });

  it('is refused once it has expired', async () => {
    const grant = { tenantId: tenant.id, recordingId: recorded.recordingId, keyId: newId(), expiresAt: Date.now() - 1 };
    const { status, body } = await world.request('GET', `/v1/recording-links/${signPlayToken(box, grant)}`, {
      key: null,
    });
    expect([status, body.type]).toEqual([403, 'http://ringline.test/problems/link-invalid']);
    expect(body.detail).toContain('expired');
  });

  it('is refused with any of its fields changed, and when the key that made it is revoked', async () => {
    const key = await world.ok('POST', '/v1/api-keys', {
      body: { name: 'brief', scopes: ['recordings:read'], tenantId: tenant.id },
    });
    const { url } = await world.ok('POST', `${pathOf(recorded)}/links`, { key: key.secret, body: { purpose: 'play' } });
    const path = linkPath(url);
    const [, text = '', signature = ''] = /rlp_([^.]+)\.(.+)$/.exec(path) ?? [];
    const fields = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[];
    const other = await add();
    const changes: [number, unknown][] = [
      [0, stranger.id],
      [1, other.recordingId],
      [2, newId()],
      [3, Date.now() + 9e9],
    ];
    for (const [place, value] of changes) {
      const changed = Buffer.from(JSON.stringify(fields.with(place, value))).toString('base64url');
      expect((await hear(`/v1/recording-links/rlp_${changed}.${signature}`, { key: null })).status).toBe(403);
    }
    expect((await hear(path, { key: null })).status).toBe(200);
    await world.ok('DELETE', `/v1/api-keys/${key.id}`);
    expect((await hear(path, { key: null })).status).toBe(403);
  });

  it('signed for a recording of another tenant opens nothing', async () => {
    const [{ id: keyId }] = await world.source.query('select id from api_key where tenant_id = $1', [stranger.id]);
    const grant = { tenantId: stranger.id, recordingId: recorded.recordingId, keyId, expiresAt: Date.now() + 60_000 };
    expect((await hear(`/v1/recording-links/${signPlayToken(box, grant)}`, { key: null })).status).toBe(403);
  });

  it.each(['x', 'rlp_', 'rlp_a.b', 'rlc_short', `rlc_${'A'.repeat(43)}`, '..%2f..%2fsecret-key', 'a'.repeat(500)])(
    'that was never given out is refused: %s',
    async (token) => {
      expect([400, 403]).toContain((await hear(`/v1/recording-links/${token}`, { key: null })).status);
    },
  );
});

describe('a link for a CRM', () => {
  it('lives until it is revoked, is stored as a hash, and all of it is written down', async () => {
    const one = await add();
    const { id, url, expiresAt } = await world.ok('POST', `${pathOf(one)}/links`, {
      ...own(),
      body: { purpose: 'crm' },
    });
    expect(expiresAt).toBeNull();
    const token = linkPath(url).split('/').at(-1) ?? '';
    expect(token).toMatch(/^rlc_[A-Za-z0-9_-]{43}$/);
    const stored = await world.source.query(`select t::text as row from recording_link t where id = $1`, [id]);
    expect(stored[0].row).not.toContain(token);
    expect(stored[0].row).not.toContain(token.slice(4));
    expect((await hear(linkPath(url), { key: null })).bytes.equals(one.file)).toBe(true);
    const { items } = await world.ok('GET', `${pathOf(one)}/links`, own());
    expect(items.map((item: { id: string }) => item.id)).toEqual([id]);
    const revoke = `${pathOf(one)}/links/${id}`;
    expect((await world.request('DELETE', revoke, { key: stranger.key })).status).toBe(404);
    expect((await world.request('DELETE', revoke, own())).status).toBe(204);
    expect((await world.request('DELETE', revoke, own())).status).toBe(404);
    expect((await hear(linkPath(url), { key: null })).status).toBe(403);
    expect((await audit(one.recordingId)).map(({ action }) => action)).toEqual([
      'recording.link-created',
      'recording.heard',
      'recording.link-revoked',
    ]);
  });

  it.each<State>(['failed', 'erased'])('is not made for a recording that is %s', async (state) => {
    const one = await add(state);
    const answer = await world.request('POST', `${pathOf(one)}/links`, { ...own(), body: { purpose: 'crm' } });
    expect(answer.status).toBe(409);
  });

  it('of Ringline’s own opens the recording, is the same each time, and can be revoked', async () => {
    const one = await add();
    const forCrm = world.app.get(RecordingsForCrm, { strict: false });
    const of = { tenantId: tenant.id, recordingId: one.recordingId, connectionId: newId() };
    expect(await forCrm.findLink(of)).toBeNull();
    const url = await forCrm.link(of);
    expect([await forCrm.link(of), await forCrm.findLink(of)]).toEqual([url, url]);
    expect(await forCrm.link({ ...of, connectionId: newId() })).not.toBe(url);
    const heard = await hear(linkPath(url), { key: null });
    expect([heard.status, heard.bytes.equals(one.file)]).toEqual([200, true]);
    expect(Buffer.from((await forCrm.read(of)) ?? []).equals(one.file)).toBe(true);
    const { items } = await world.ok('GET', `${pathOf(one)}/links`, own());
    expect(items).toHaveLength(2);
    await world.ok('DELETE', `${pathOf(one)}/links/${items[0].id}`, own());
    expect((await hear(linkPath(url), { key: null })).status).toBe(403);
    expect(await forCrm.findLink(of)).toBeNull();
    const acts = (await audit(one.recordingId)).map(({ action, actor_key_id: actor, detail }) => [
      action,
      actor !== null,
      detail.via,
    ]);
    expect(acts).toEqual([
      ['recording.link-created', false, undefined],
      ['recording.link-created', false, undefined],
      ['recording.heard', false, 'crm'],
      ['recording.heard', false, 'crm-upload'],
      ['recording.link-revoked', true, undefined],
    ]);
  });

  it.each([{}, { purpose: 'download' }, { purpose: 'crm', expiresInSeconds: 300 }, { purpose: 'play', extra: 1 }])(
    'is asked for correctly or not made: %j',
    async (body) => {
      expect((await world.request('POST', `${pathOf(recorded)}/links`, { ...own(), body })).status).toBe(400);
    },
  );
});

describe('erasing', () => {
  it('takes the file, what is known of it and its links, and the record says so', async () => {
    const one = await add();
    const links = [];
    for (const purpose of ['crm', 'play']) {
      links.push(await world.ok('POST', `${pathOf(one)}/links`, { ...own(), body: { purpose } }));
    }
    expect((await world.request('DELETE', pathOf(one), own())).status).toBe(204);
    expect(existsSync(one.path)).toBe(false);
    const [row] = await world.source.query('select * from recording where id = $1', [one.recordingId]);
    expect(row).toMatchObject({ bytes: null, duration_ms: null, told_seconds: null, digest: null });
    const { recordings } = await world.ok('GET', `/v1/calls/${one.callId}`, own());
    expect(recordings).toMatchObject([{ id: one.recordingId, state: 'erased', durationSeconds: null }]);
    expect((await hear(linkPath(links[0].url), { key: null })).status).toBe(403);
    expect((await hear(linkPath(links[1].url), { key: null })).status).toBe(409);
    const [event] = await world.source.query(
      `select type from call_event where call_id = $1 order by sequence desc limit 1`,
      [one.callId],
    );
    expect(event.type).toBe('call.updated');
    // Again is no failure, and is not a second deed.
    expect((await world.request('DELETE', pathOf(one), own())).status).toBe(204);
    expect((await audit(one.recordingId)).filter(({ action }) => action === 'recording.erased')).toHaveLength(1);
  });

  it('has to wait for a recording that is being made', async () => {
    const one = await add('recording');
    const { status, body } = await world.request('DELETE', pathOf(one), own());
    expect([status, body.type]).toEqual([409, 'http://ringline.test/problems/recording-conflict']);
  });

  it('is for keys that may write', async () => {
    const reader = await world.addKey(tenant.id, ['recordings:read', 'calls:read']);
    expect((await world.request('DELETE', pathOf(recorded), { key: reader })).status).toBe(403);
    expect((await world.request('DELETE', pathOf(recorded), { key: stranger.key })).status).toBe(404);
    expect(existsSync(recorded.path)).toBe(true);
  });
});
