import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import { Relay } from '../../src/outbox/relay.js';
import { EventQueues } from '../../src/queues/event-queues.js';
import { DeliveryWorld, milestones } from '../support/delivery-world.js';

/** The examples of docs/events.md, taken out of it and run as they stand, each in a process of its own. */
describe('examples of docs/events.md', () => {
  let lab: Lab;
  let world: DeliveryWorld;
  let folder: string;
  let docs: string;
  const running: ChildProcess[] = [];

  beforeAll(async () => {
    lab = await startLab({ asterisk: false, redis: 'own' });
    world = await DeliveryWorld.start(await lab.postgres.createDatabase());
    // Inside the project, so that the examples find the packages they import.
    folder = await mkdtemp(join(import.meta.dirname, '.example-'));
    docs = await readFile(join(import.meta.dirname, '../../docs/events.md'), 'utf8');
  });
  afterEach(async () => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
    await world.stopParts();
  });
  afterAll(async () => {
    await world?.stop();
    await lab?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  /** Runs the example whose first line names its file; answers with the lines it prints. */
  async function run(name: string, env: Readonly<Record<string, string>>): Promise<string[]> {
    const code = [...docs.matchAll(/```js\n([\s\S]*?)```/g)].find((block) => block[1]?.startsWith(`// ${name}\n`))?.[1];
    if (code === undefined) throw new Error(`docs/events.md has no example ${name}`);
    const file = join(folder, name);
    await writeFile(file, code);
    const child = spawn(process.execPath, [file], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    running.push(child);
    const lines: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
    return lines;
  }

  it('the worker in ten lines gets every event', async () => {
    const tenantId = await world.addTenant();
    const call = await world.addCall(tenantId);
    await world.commit([call, ...milestones]);
    const link = world.redis(lab.redis.url);
    const relay = new Relay(world.database, link, new EventQueues(link, []), world.log);
    relay.start();
    try {
      const lines = await run('worker.mjs', { REDIS_URL: lab.redis.url });
      await waitFor(() => lines.length === 4, { what: 'the worker to print four events', timeoutMs: 20_000 });
      expect(lines).toEqual(milestones.map((type, index) => `${type} ${call.id} ${index + 1}`));
    } finally {
      await relay.stop();
    }
  });

  it('the receiver verifies and takes every event', async () => {
    const tenantId = await world.addTenant();
    const port = await lab.ports.next();
    const endpoint = await world.addEndpoint(tenantId, `http://127.0.0.1:${port}/`);
    const call = await world.addCall(tenantId);
    const lines = await run('receiver.mjs', { PORT: String(port), WEBHOOK_SECRET: endpoint.secret });
    await waitFor(
      () =>
        fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: '{}' }).then(
          ({ status }) => status === 401,
          () => false,
        ),
      {
        what: 'the receiver to refuse what is not signed',
        timeoutMs: 20_000,
      },
    );
    await world.commit([call, ...milestones]);
    world.sender();
    await waitFor(() => world.isFinished(endpoint.id), { what: 'the deliveries' });
    expect((await world.deliveries(endpoint.id)).map(({ status }) => status)).toEqual(
      milestones.map(() => 'delivered'),
    );
    expect(lines).toEqual(milestones.map((type, index) => `${type} ${call.id} ${index + 1}`));
  });
});
