import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { python } from '../../lab/python.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import { Relay } from '../../src/outbox/relay.js';
import { EventQueues } from '../../src/queues/event-queues.js';
import { secretPlace } from '../../src/webhooks/endpoint-secret.js';
import { newSecret } from '../../src/webhooks/standard-webhooks.js';
import { DeliveryWorld, milestones } from '../support/delivery-world.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

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
    return start([await write(name)], env);
  }

  async function write(name: string): Promise<string> {
    const blocks = [...docs.matchAll(/```(?:js|python)\n((?:\/\/|#) (\S+)\n[\s\S]*?)```/g)];
    const code = blocks.find(([, , named]) => named === name)?.[1];
    if (code === undefined) throw new Error(`docs/events.md has no example ${name}`);
    const file = join(folder, name);
    await writeFile(file, code);
    return file;
  }

  function start(args: readonly string[], env: Readonly<Record<string, string>>): string[] {
    const child = spawn(process.execPath, args, {
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

  describe('verify', () => {
    type Message = { readonly secret: string; readonly headers: Record<string, string>; readonly body: string };
    /** Messages as Ringline sent them, of an endpoint whose secret was replaced: by the old and by the new one. */
    const good: Message[] = [];
    /** The same with one bit changed. */
    const bad: Message[] = [];

    beforeAll(async () => {
      const receiver = await WebhookReceiver.start();
      const endpoint = await world.addEndpoint(await world.addTenant(), receiver.url);
      const [{ tenantId }] = await world.query<[{ tenantId: string }]>(
        `select tenant_id as "tenantId" from webhook_endpoint where id = $1`,
        [endpoint.id],
      );
      const fresh = newSecret();
      await world.query(
        `update webhook_endpoint set previous_secret_sealed = secret_sealed, previous_secret_until = now() + interval '1 day',
           secret_sealed = $2 where id = $1`,
        [endpoint.id, world.secretBox.seal(fresh, secretPlace(tenantId, endpoint.id))],
      );
      await world.commit([await world.addCall(tenantId), ...milestones]);
      world.sender();
      await waitFor(() => world.isFinished(endpoint.id), { what: 'the deliveries' });
      await receiver.stop();
      for (const { headers, body } of receiver.received) {
        for (const secret of [endpoint.secret, fresh]) {
          good.push({ secret, headers: headers as Record<string, string>, body });
        }
      }
      const [one] = good;
      if (!one) throw new Error('nothing was sent');
      const signature = one.headers['webhook-signature']?.split(' ')[1] ?? '';
      const headers: Record<string, string> = { ...one.headers, 'webhook-signature': signature };
      for (let i = 0; i < 2_500; i++) {
        for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const) {
          bad.push({ ...one, headers: { ...headers, [name]: flipped(headers[name] ?? '', i) } });
        }
        bad.push({ ...one, headers, body: flipped(one.body, i) });
      }
    });

    /** Told as Latin-1, so that every byte is a character. */
    function flipped(text: string, bit: number): string {
      const bytes = Buffer.from(text, 'latin1');
      const at = (bit * 7) % (bytes.length * 8);
      bytes[at >> 3] = (bytes[at >> 3] ?? 0) ^ (1 << (at & 7));
      return bytes.toString('latin1');
    }

    it('in JavaScript takes what Ringline sends, and nothing that differs by a bit', async () => {
      const { verify } = (await import(await write('verify.mjs'))) as {
        verify: (secret: string, headers: Record<string, string>, body: Buffer) => boolean;
      };
      const count = (messages: readonly Message[], encoding: 'utf8' | 'latin1'): number =>
        messages.filter(({ secret, headers, body }) => verify(secret, headers, Buffer.from(body, encoding))).length;
      expect([good.length, count(good, 'utf8')]).toEqual([8, 8]);
      expect([bad.length, count(bad, 'latin1')]).toEqual([10_000, 0]);
      const [{ secret, headers, body }] = good as [Message];
      const late = { ...headers, 'webhook-timestamp': String(Math.floor(Date.now() / 1000) - 301) };
      expect(verify(secret, late, Buffer.from(body))).toBe(false);
      expect(verify(newSecret(), headers, Buffer.from(body))).toBe(false);
    });

    it('in Python does the same', async () => {
      await write('verify.py');
      const harness = [
        'import json, sys',
        'from verify import verify',
        'for line in sys.stdin:',
        '    one = json.loads(line)',
        '    print(verify(one["secret"], one["headers"], one["body"].encode(one["encoding"])))',
      ].join('\n');
      const lines = [
        ...good.map((message) => ({ ...message, encoding: 'utf-8' })),
        ...bad.map((message) => ({ ...message, encoding: 'latin-1' })),
      ].map((message) => JSON.stringify(message));
      const { command, args, env } = await python(['-B', '-c', harness], () => undefined);
      const { stdout, stderr } = spawnSync(command, args, {
        cwd: folder,
        env: { ...process.env, ...env },
        input: `${lines.join('\n')}\n`,
        encoding: 'utf8',
        maxBuffer: 10_000_000,
      });
      expect(stderr).toBe('');
      const answers = stdout.trim().split('\n');
      expect(answers).toEqual([...good.map(() => 'True'), ...bad.map(() => 'False')]);
    });
  });

  it('npm run webhook-listen verifies and prints what comes, and refuses the rest', async () => {
    const tenantId = await world.addTenant();
    const port = await lab.ports.next();
    const endpoint = await world.addEndpoint(tenantId, `http://127.0.0.1:${port}/`);
    const lines = start(['scripts/webhook-listen.mjs', '--port', String(port)], { WEBHOOK_SECRET: endpoint.secret });
    await waitFor(() => lines.length === 1, { what: 'it to listen', timeoutMs: 30_000 });
    expect(lines[0]).toBe(`listening on http://127.0.0.1:${port}, answering 204`);
    const forged = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: '{}' });
    expect(forged.status).toBe(401);
    const call = await world.addCall(tenantId);
    const [event] = await world.commit([call, 'call.started']);
    world.sender();
    await waitFor(() => world.isFinished(endpoint.id), { what: 'the delivery' });
    expect(lines[1]).toMatch(/REFUSED: Missing required headers$/);
    expect(lines[2]).toContain(`${event?.id}  call.started  call ${call.id}  sequence 1  signature valid`);
  });
});
