import type { Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import { HealthParts, type PartHealth } from '../../src/health/health-parts.js';
import { MetricsServer } from '../../src/metrics/metrics-server.js';
import { ApiWorld } from '../support/api-world.js';
import { startDatabaseServer } from '../support/database.js';

let lab: Lab;
let world: ApiWorld;
beforeAll(async () => {
  lab = await startDatabaseServer();
  world = await ApiWorld.start(await lab.postgres.createDatabase(), {
    env: { CORS_ORIGINS: 'https://crm.example.com' },
  });
});
afterAll(async () => {
  await world?.stop();
  await lab?.stop();
});

const open = { key: null };

describe('health', () => {
  it('names each part, and is up to the database and the PBX nodes', async () => {
    const health = world.app.get(HealthParts);
    let extra: PartHealth[] = [];
    health.register(() => extra);
    const ask = async (...parts: PartHealth[]): Promise<[number, string]> => {
      extra = parts;
      const answer = await world.request('GET', '/health/ready', open);
      for (const part of parts) expect(answer.body.parts).toContainEqual(part);
      return [answer.status, answer.body.status];
    };
    const up = { name: 'pbx-node a', status: 'up' } as const;
    const down = { name: 'pbx-node b', status: 'down', detail: 'ARI refused the password.' } as const;
    // Redis is not there in this test: that only delays.
    expect(await ask(up)).toEqual([200, 'degraded']);
    expect(await ask(up, down)).toEqual([200, 'degraded']);
    expect(await ask(down)).toEqual([503, 'down']);
    const { body } = await world.request('GET', '/health/ready', open);
    expect(body.parts.map(({ name }: { name: string }) => name)).toEqual(expect.arrayContaining(['database', 'redis']));
    extra = [];
  });
});

describe('metrics', () => {
  it('have a port of their own, and no name, number or id', async () => {
    const url = `http://127.0.0.1:${world.app.get(MetricsServer).port}`;
    const { id } = await world.addTenant();
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).toContain('process_cpu_user_seconds_total');
    expect(text).not.toContain(id);
    expect((await fetch(`${url}/v1/tenants`)).status).toBe(404);
    expect((await world.request('GET', '/metrics')).status).toBe(404);
  });

  it('time requests by route, not by path', async () => {
    const { id } = await world.addTenant();
    await world.ok('GET', `/v1/tenants/${id}`);
    await world.request('GET', `/v1/guess-${id}`);
    const url = `http://127.0.0.1:${world.app.get(MetricsServer).port}/metrics`;
    const text = await (await fetch(url)).text();
    expect(text).toContain('ringline_http_request_seconds_count{method="GET",route="/v1/tenants/:id",status="2xx"}');
    expect(text).toContain('ringline_http_request_seconds_count{method="GET",route="none",status="4xx"}');
    expect(text).not.toContain(id);
  });
});

describe('the API', () => {
  it('describes itself to everybody', async () => {
    const described = await world.request('GET', '/openapi.json', open);
    expect(described.body.info.title).toBe('Ringline');
    const page = await world.request('GET', '/docs', open);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect((await world.request('GET', '/docs/swagger-ui-init.js', open)).status).toBe(200);
  });

  it('answers pages of the origins it knows, and of no other', async () => {
    const ask = (origin: string) =>
      world.request('OPTIONS', '/v1/agents', {
        ...open,
        headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
      });
    const known = await ask('https://crm.example.com');
    expect(known.headers.get('access-control-allow-origin')).toBe('https://crm.example.com');
    expect(known.headers.get('access-control-allow-headers')).toContain('Ringline-Tenant');
    expect((await ask('https://evil.example.com')).headers.get('access-control-allow-origin')).toBeNull();
  });

  it('gives a client little time for its headers and its body', () => {
    // How Node keeps these limits is Node's to test; it looks every 30 s.
    const server: Server = world.app.getHttpServer();
    expect([server.headersTimeout, server.requestTimeout]).toEqual([10_000, 30_000]);
  });
});

describe('a stop', () => {
  it('finishes what was begun and refuses what comes after', async () => {
    const own = await ApiWorld.start(await lab.postgres.createDatabase());
    const tenant = await own.addTenant();
    // A row that is locked holds the request open while the stop begins.
    const holder = own.source.createQueryRunner();
    await holder.startTransaction();
    await holder.query('select 1 from tenant where id = $1 for update', [tenant.id]);
    const begun = own.request('PATCH', `/v1/tenants/${tenant.id}`, { body: { name: 'Late' } });
    await waitFor(
      async () => {
        const [{ waiting }] = await own.source.query(
          `select count(*)::int as waiting from pg_locks where not granted and pid in (select pid from pg_stat_activity where datname = current_database())`,
        );
        return waiting > 0 || undefined;
      },
      { what: 'the request to wait for the lock', timeoutMs: 2_000 },
    );
    const stopped = own.stop();
    await holder.rollbackTransaction();
    await holder.release();
    expect((await begun).status).toBe(200);
    await stopped;
    await expect(own.request('GET', '/health/live', open)).rejects.toThrow();
  });
});
