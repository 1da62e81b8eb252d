// npm run bench -- deliveries [--json FILE] [--deliveries 20000] [--seconds 20] [--runs 3] [--profile DIR]
import { writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { addBacklog } from '../lab/backlog.js';
import { DeliveryLab } from '../lab/delivery-lab.js';
import { PromptReceiver } from '../lab/prompt-receiver.js';
import { readFixtures } from '../lab/replay/fixture.js';
import { compiledFolder } from '../lab/ringline.js';
import { runProgram } from '../lab/run-program.js';
import { waitFor } from '../lab/wait-for.js';
import { quantile, round } from './statistics.js';

const { values } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    deliveries: { type: 'string', default: '20000' },
    seconds: { type: 'string', default: '20' },
    runs: { type: 'string', default: '3' },
    profile: { type: 'string' },
  },
});
const deliveries = Number(values.deliveries);
const seconds = Number(values.seconds);
const runs = Number(values.runs);
const CALLS_PER_SECOND = 20;
const MILESTONES = ['call.started', 'call.ringing', 'call.answered', 'call.ended'] as const;
/** What is sent before the clock runs, so that no process still compiles its code. */
const WARM_UP = 0.2;
/** For the lag: seconds at the same rate, for the same reason. */
const WARM_UP_SECONDS = 3;
const say = (line: string): void => void process.stderr.write(`${line}\n`);

const fixtures = await readFixtures();
const record = fixtures.flatMap(({ expected }) => expected).find((one) => one.record.outcome === 'answered')?.record;
if (record === undefined) throw new Error('no fixture has an answered call');
const document = JSON.stringify({ type: 'call.ended', sequence: 4, data: { call: record } });

const throughput = [];
for (const receivers of [1, 50]) {
  const all = [];
  for (let run = 1; run <= runs; run++) {
    const one = await measureThroughput(receivers);
    say(`run ${run}: ${JSON.stringify(one)}`);
    all.push(one);
  }
  // The run in the middle, with what was beside it.
  const median = all.toSorted((a, b) => a.toBare - b.toBare)[Math.floor(runs / 2)] as (typeof all)[number];
  throughput.push({ ...median, ofRuns: all.map(({ toBare }) => toBare) });
}
const lag = await measureLag();
const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? '', memoryGiB: Math.round(totalmem() / 2 ** 30) };
const node = process.versions.node;
const figures = JSON.stringify({ machine: { ...machine, node }, bytes: document.length, throughput, lag }, null, 2);
if (values.json !== undefined) await writeFile(values.json, `${figures}\n`);
process.stdout.write(`${figures}\n`);
process.exit(throughput.every(({ perSecond, toBare }) => perSecond >= 2_000 && toBare >= 0.25) ? 0 : 1);

/** All are due before the worker starts; beside it a bare loop to the same receiver, while the worker is not there. */
async function measureThroughput(receivers: number) {
  const delivery = await DeliveryLab.start();
  const receiver = new PromptReceiver();
  try {
    for (let n = 0; n < receivers; n++) {
      const endpoint = await delivery.addEndpoint(await receiver.open());
      await addBacklog(delivery.writer, endpoint, deliveries / receivers, document);
    }
    await delivery.source.query('analyze');
    const barePerSecond = await measureBare(delivery, await receiver.open());
    receiver.arrivedAt.clear();
    const nodeOptions = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`];
    const worker = await delivery.worker({ nodeOptions });
    const reached = (count: number): Promise<number> =>
      waitFor(() => receiver.count >= count && performance.now(), { what: `${count}`, timeoutMs: 120_000, everyMs: 5 });
    const begun = Math.round(deliveries * WARM_UP);
    const [from, first] = [await reached(begun), receiver.count];
    const until = await reached(deliveries);
    await worker.stop();
    const perSecond = ((receiver.count - first) / (until - from)) * 1000;
    return { receivers, perSecond: round(perSecond), barePerSecond, toBare: round(perSecond / barePerSecond) };
  } finally {
    await delivery.stop();
    await receiver.stop();
  }
}

async function measureBare({ lab }: DeliveryLab, url: string): Promise<number> {
  const [script, file] = [join(await compiledFolder(), 'bench/bare-loop.js'), join(lab.dir, 'bodies')];
  await writeFile(file, `${document}\n`);
  const { stdout } = await runProgram(process.execPath, [script, url, file, String(deliveries)], {
    timeoutMs: 120_000,
  });
  return round((deliveries / Number(stdout)) * 1000);
}

/** From the commit to the receiver, at a steady rate: each call's events one a second. */
async function measureLag() {
  const delivery = await DeliveryLab.start();
  const receiver = new PromptReceiver();
  const committedAt = new Map<string, number>();
  try {
    const { tenantId } = await delivery.addEndpoint(await receiver.open());
    const worker = await delivery.worker();
    await waitFor(async () => (await worker.call('GET', '/health/ready')).status === 200, { what: 'the worker' });
    const startedAt = performance.now();
    const commits: Promise<void>[] = [];
    for (let n = 0; n < (WARM_UP_SECONDS + seconds) * CALLS_PER_SECOND; n++) {
      await sleep(Math.max(0, startedAt + (n * 1000) / CALLS_PER_SECOND - performance.now()));
      commits.push(placeCall());
    }
    await Promise.all(commits);
    await waitFor(() => receiver.count === committedAt.size, { what: 'every event', timeoutMs: 30_000 });
    await worker.stop();
    const countsFrom = Math.min(...committedAt.values()) + WARM_UP_SECONDS * 1_000;
    const counted = [...committedAt].filter(([, at]) => at >= countsFrom);
    const lags = counted.map(([id, at]) => (receiver.arrivedAt.get(id) ?? Number.NaN) - at);
    return { events: lags.length, p50Ms: quantile(lags, 0.5), p99Ms: quantile(lags, 0.99) };

    async function placeCall(): Promise<void> {
      const [call] = await delivery.writer.addCalls([tenantId]);
      if (call === undefined) return;
      for (const type of MILESTONES) {
        const event = delivery.writer.next(call, type, (own) => ({
          ...(record as NonNullable<typeof record>),
          ...own,
        }));
        committedAt.set(event.id, await delivery.commit([event]));
        await sleep(1_000);
      }
    }
  } finally {
    await delivery.stop();
    await receiver.stop();
  }
}
