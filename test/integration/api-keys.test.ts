import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import { createLog } from '../../src/common/logger.js';
import { readConfig } from '../../src/config/config.js';
import { createApp } from '../../src/create-app.js';
import { ApiWorld } from '../support/api-world.js';
import { startDatabaseServer } from '../support/database.js';
import { noLog } from '../support/no-log.js';

let lab: Lab;
beforeAll(async () => {
  lab = await startDatabaseServer();
});
afterAll(() => lab?.stop());

describe('API keys', () => {
  let one: ApiWorld;
  let other: ApiWorld;
  beforeAll(async () => {
    const url = await lab.postgres.createDatabase();
    one = await ApiWorld.start(url);
    other = await ApiWorld.start(url);
  });
  afterAll(async () => {
    await one?.stop();
    await other?.stop();
  });

  it('are shown once and stored as a hash', async () => {
    const { id: tenantId } = await one.addTenant();
    const made = await one.ok('POST', '/v1/api-keys', { body: { name: 'crm', scopes: ['config'], tenantId } });
    expect(made.secret).toMatch(/^rl_[A-Za-z0-9_-]{43}$/);
    const later = [
      await one.ok('GET', `/v1/api-keys/${made.id}`),
      await one.ok('GET', `/v1/api-keys?tenantId=${tenantId}`),
    ];
    expect(JSON.stringify(later)).not.toContain(made.secret);
    expect(later[1].items).toContainEqual(later[0]);
    const [row] = await one.source.query(
      'select k::text as text, encode(secret_hash, $2) as hash from api_key k where id = $1',
      [made.id, 'hex'],
    );
    expect(row.hash).toBe(createHash('sha256').update(made.secret).digest('hex'));
    expect(row.text).not.toContain(made.secret);
    const audit = await one.source.query('select a::text from audit_entry a');
    expect(JSON.stringify(audit)).not.toContain(made.secret);
  });

  it('are refused everywhere within 5 s of being revoked, and at once where it was done', async () => {
    const { id: tenantId, key } = await one.addTenant();
    const { items } = await one.ok('GET', `/v1/api-keys?tenantId=${tenantId}`);
    expect((await other.request('GET', '/v1/agents', { key })).status).toBe(200);
    expect((await one.request('GET', '/v1/agents', { key })).status).toBe(200);
    await one.ok('DELETE', `/v1/api-keys/${items[0].id}`);
    const revokedAt = Date.now();
    expect((await one.request('GET', '/v1/agents', { key })).status).toBe(401);
    await waitFor(async () => (await other.request('GET', '/v1/agents', { key })).status === 401 || undefined, {
      what: 'the other process to refuse the key',
      timeoutMs: 5_000,
    });
    expect(Date.now() - revokedAt).toBeLessThan(5_000);
    expect((await one.request('GET', `/v1/api-keys/${items[0].id}`)).status).toBe(404);
  });

  it('lose a scope within 5 s of its being taken', async () => {
    const { id: tenantId, key } = await one.addTenant(['config']);
    const { items } = await one.ok('GET', `/v1/api-keys?tenantId=${tenantId}`);
    expect((await other.request('GET', '/v1/agents', { key })).status).toBe(200);
    await one.ok('PATCH', `/v1/api-keys/${items[0].id}`, { body: { scopes: ['calls:read'] } });
    expect((await one.request('GET', '/v1/agents', { key })).status).toBe(403);
    await waitFor(async () => (await other.request('GET', '/v1/agents', { key })).status === 403 || undefined, {
      what: 'the other process to miss the scope',
      timeoutMs: 5_000,
    });
    const raised = await one.request('PATCH', `/v1/api-keys/${items[0].id}`, { body: { scopes: ['platform'] } });
    expect(raised).toMatchObject({ status: 400, body: { field: 'scopes' } });
  });

  it('always leave one that rules the installation, also when two are revoked at the same time', async () => {
    const world = await ApiWorld.start(await lab.postgres.createDatabase());
    try {
      await world.addKey(null, ['platform']);
      const { items } = await world.ok('GET', '/v1/api-keys');
      expect(items).toHaveLength(2);
      const answers = await Promise.all(
        items.map(({ id }: { id: string }) => world.request('DELETE', `/v1/api-keys/${id}`)),
      );
      // The second may be refused as the last key, or, when its own key went first, as unknown.
      expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
      const [{ count }] = await world.source.query(
        'select count(*)::int as count from api_key where revoked_at is null',
      );
      expect(count).toBe(1);
    } finally {
      await world.stop();
    }
  });
});

describe('the first API key', () => {
  const noKey = { BOOTSTRAP_API_KEY: '' };

  it('is made once by instances that start together, and only its path is logged', async () => {
    const url = await lab.postgres.createDatabase();
    const dataDir = mkdtempSync(join(tmpdir(), 'ringline-'));
    const lines: string[] = [];
    const log = createLog('debug', { write: (line) => lines.push(line) });
    const start = () => ApiWorld.start(url, { env: { ...noKey, DATA_DIR: join(dataDir, 'data') }, log });
    const worlds = await Promise.all([start(), start()]);
    try {
      const path = join(dataDir, 'data', 'bootstrap-key');
      const key = readFileSync(path, 'utf8').trim();
      expect(key).toMatch(/^rl_[A-Za-z0-9_-]{43}$/);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(readdirSync(join(dataDir, 'data')).toSorted()).toEqual(['bootstrap-key', 'secret-key']);
      for (const world of worlds)
        expect((await world.request('GET', '/v1/api-keys', { key })).body.items).toHaveLength(1);
      expect(lines.filter((line) => line.includes(path))).toHaveLength(1);
      expect(lines.join('')).not.toContain(key);
    } finally {
      for (const world of worlds) await world.stop();
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  it('is made once by instances that share no folder', async () => {
    const url = await lab.postgres.createDatabase();
    const worlds = await Promise.all([1, 2, 3].map(() => ApiWorld.start(url, { env: noKey })));
    try {
      const made = worlds.filter(({ dataDir }) => readdirSync(dataDir).includes('bootstrap-key'));
      expect(made).toHaveLength(1);
      const [{ count }] = await worlds[0]!.source.query('select count(*)::int as count from api_key');
      expect(count).toBe(1);
    } finally {
      for (const world of worlds) await world.stop();
    }
  });

  it('comes from the environment, once, and stays revoked when it was', async () => {
    const url = await lab.postgres.createDatabase();
    const first = await ApiWorld.start(url);
    const key = await first.addKey(null, ['platform']);
    const { items } = await first.ok('GET', '/v1/api-keys');
    const bootstrap = items.find(({ name }: { name: string }) => name === 'bootstrap');
    await first.ok('DELETE', `/v1/api-keys/${bootstrap.id}`, { key });
    await first.stop();
    const second = await ApiWorld.start(url);
    try {
      expect((await second.request('GET', '/v1/api-keys')).status).toBe(401);
      expect((await second.ok('GET', '/v1/api-keys', { key })).items).toHaveLength(1);
      expect(readdirSync(second.dataDir)).toEqual(['secret-key']);
    } finally {
      await second.stop();
    }
  });

  it('is demanded in production, with a sentence that says how', async () => {
    const config = readConfig({
      NODE_ENV: 'production',
      DATABASE_URL: 'postgres://127.0.0.1:1/x',
      SECRET_KEY: 'a'.repeat(64),
      DATA_DIR: join(tmpdir(), 'ringline-nothing-here'),
    });
    await expect(createApp(config, { log: noLog })).rejects.toThrow('No first API key: set BOOTSTRAP_API_KEY');
  });
});
