import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import { ApiWorld, type Answer } from '../support/api-world.js';
import { startDatabaseServer } from '../support/database.js';

let lab: Lab;
beforeAll(async () => {
  lab = await startDatabaseServer('own');
});
afterAll(() => lab?.stop());

const readiness = (world: ApiWorld) => world.request('GET', '/health/ready', { key: null });
const database = ({ body }: Answer) => body.parts.find(({ name }: { name: string }) => name === 'database');
const until = (world: ApiWorld, status: 'up' | 'down') =>
  waitFor(async () => database(await readiness(world)).status === status || undefined, {
    what: `the database to be ${status}`,
    timeoutMs: 40_000,
  });

async function expectUnavailable(world: ApiWorld): Promise<void> {
  const answer = await world.request('GET', '/v1/tenants');
  expect(answer).toMatchObject({ status: 503, body: { type: 'http://ringline.test/problems/database-unavailable' } });
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
}

describe('without PostgreSQL', { timeout: 120_000 }, () => {
  it('Ringline starts, says what is missing, and works as soon as it is there', async () => {
    const url = await lab.postgres.createDatabase();
    await lab.postgres.stop('fast');
    const world = await ApiWorld.start(url, { wait: false });
    try {
      expect((await world.request('GET', '/health/live', { key: null })).body).toEqual({ status: 'up' });
      const answer = await readiness(world);
      expect(answer.status).toBe(503);
      expect(answer.body.status).toBe('down');
      await waitFor(async () => /ECONNREFUSED/.test(database(await readiness(world)).detail) || undefined, {
        what: 'the reason to be told',
        timeoutMs: 5_000,
      });
      await expectUnavailable(world);
      expect((await world.request('GET', '/openapi.json', { key: null })).status).toBe(200);
      await lab.postgres.start();
      await until(world, 'up');
      await world.ready();
      await world.ok('GET', '/v1/tenants');
    } finally {
      await world.stop();
    }
  });

  it('a running Ringline answers with the reason, and goes on when it is back', async () => {
    const world = await ApiWorld.start(await lab.postgres.createDatabase());
    try {
      const tenant = await world.addTenant();
      await lab.postgres.stop('immediate');
      await expectUnavailable(world);
      await until(world, 'down');
      expect((await readiness(world)).status).toBe(503);
      expect((await world.request('GET', '/health/live', { key: null })).status).toBe(200);
      const written = await world.request('POST', '/v1/agents', { key: tenant.key, body: { name: 'Alice' } });
      expect(written.status).toBe(503);
      await lab.postgres.start();
      await until(world, 'up');
      await world.ok('POST', '/v1/agents', { key: tenant.key, body: { name: 'Alice' } });
    } finally {
      await world.stop();
    }
  });

  it('a database that takes connections and says nothing holds no request for ever', async () => {
    const link = await lab.proxy(await lab.postgres.createDatabase());
    const world = await ApiWorld.start(link.url);
    try {
      await world.ok('GET', '/v1/tenants');
      link.set({ blackHole: 'both' });
      const asked = Date.now();
      await expectUnavailable(world);
      expect(Date.now() - asked).toBeLessThan(15_000);
      await until(world, 'down');
      link.set();
      link.reset();
      await until(world, 'up');
      await world.ok('GET', '/v1/tenants');
    } finally {
      link.set();
      await world.stop();
    }
  });
});

describe('pending migrations', () => {
  it('are named with the command that runs them, and nothing is served before', async () => {
    const world = await ApiWorld.start(await lab.postgres.createDatabase(), {
      wait: false,
      env: { RUN_MIGRATIONS: 'off' },
    });
    try {
      await waitFor(async () => /npm run migrate/.test(database(await readiness(world)).detail) || undefined, {
        what: 'the command to be told',
        timeoutMs: 10_000,
      });
      await expectUnavailable(world);
    } finally {
      await world.stop();
    }
  });
});
