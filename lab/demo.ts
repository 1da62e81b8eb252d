import type { CallReport } from './demo/call-report.js';
import { showInCrm, type CrmReport } from './demo/crm-record.js';
import { buildWorld, type DemoWorld } from './demo/demo-world.js';
import { showClickToCall } from './demo/click-to-call.js';
import { Findings } from './demo/findings.js';
import { showIncomingCall } from './demo/incoming-call.js';
import { Narrator } from './demo/narrator.js';
import { readOptions } from './demo/options.js';
import { tellProgress } from './demo/progress.js';
import { placeOccasionalCalls, tellHowToUse } from './demo/stay-up.js';
import { startLab, type Lab } from './start-lab.js';

/** How long two parties talk in the calls that are checked. */
const TALK_MS = 3_000;
/** 128 + SIGINT: what a shell expects of a command that was interrupted. */
const INTERRUPTED = 130;

const { once, crm } = readOptions(process.argv.slice(2));
const narrator = new Narrator();
const findings = new Findings(narrator);
const interrupted = new AbortController();
/** What is ended before the lab, first things first. */
const ends: Array<() => Promise<void> | void> = [];
let lab: Lab | undefined;
let isUp = false;
let stopping: Promise<void> | undefined;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);

try {
  await run();
} catch (error) {
  if (!interrupted.signal.aborted) {
    findings.failures.push(error instanceof Error ? error.message : String(error));
    if (error instanceof Error && error.stack) narrator.plain(error.stack);
  }
}
await stop();
if (findings.failures.length > 0) {
  narrator.plain(`\nThe demo failed:\n${findings.failures.map((failure) => `  - ${failure}`).join('\n')}`);
}
// What was cut off in the middle may still wait for something: nothing is left to wait for.
process.exit(interrupted.signal.aborted && !isUp ? INTERRUPTED : findings.allHeld ? 0 : 1);

async function run(): Promise<void> {
  narrator.step('starting a real Asterisk, PostgreSQL and Redis, on ports and folders of their own');
  const progress = tellProgress(narrator);
  const starting = startLab({ report: (line) => progress.report(line) });
  // It is not held up by a download that goes on: what it started ends with this process.
  lab = await Promise.race([starting, whenInterrupted()]).finally(() => progress.stop());
  const { asterisk, postgres, redis } = lab;
  narrator.step(`Asterisk ${asterisk.version}, PostgreSQL ${postgres.version} and Redis ${redis.version} are up`);

  const world = await Promise.race([buildWorld(lab, narrator, { talkMs: TALK_MS, crm }, ends), whenInterrupted()]);
  narrator.step('first call');
  const inCrm: CrmReport[] = [];
  const calls = [
    await Promise.race([checked(world, inCrm, showClickToCall(world, narrator, findings)), whenInterrupted()]),
    await Promise.race([
      checked(world, inCrm, showIncomingCall(world, narrator, findings, TALK_MS)),
      whenInterrupted(),
    ]),
  ];
  if (once) {
    await stop();
    const versions = {
      node: process.versions.node,
      asterisk: asterisk.version,
      redis: redis.version,
      postgres: postgres.version,
    };
    const seconds = Math.round(narrator.seconds * 10) / 10;
    narrator.step(findings.allHeld ? 'everything held' : 'something did not hold');
    const beside = crm === null ? {} : { crm: { adapter: crm, calls: inCrm } };
    const document = { ok: findings.allHeld, seconds, versions, calls, ...beside };
    await new Promise<void>((resolve) => process.stdout.write(`${JSON.stringify(document)}\n`, () => resolve()));
    return;
  }
  isUp = true;
  tellHowToUse(world, narrator);
  await placeOccasionalCalls(world, narrator, interrupted.signal);
}

/** A call that was shown, and what the CRM beside it has of it. */
async function checked(world: DemoWorld, inCrm: CrmReport[], showing: Promise<CallReport>): Promise<CallReport> {
  const report = await showing;
  if (world.crm !== null) inCrm.push(await showInCrm(world, world.crm, narrator, findings, report.call.id));
  return report;
}

/** The second time it does not wait: whatever still runs ends with this process all the same (see keeper.sh). */
function interrupt(): void {
  if (interrupted.signal.aborted || stopping !== undefined) process.exit(INTERRUPTED);
  narrator.step('stopping');
  interrupted.abort();
  // Before the lab is there, nobody else could end what it has begun.
  if (lab === undefined) process.exit(INTERRUPTED);
}

function whenInterrupted(): Promise<never> {
  return new Promise((_, reject) => {
    const giveUp = () => reject(new Error('interrupted'));
    if (interrupted.signal.aborted) giveUp();
    else interrupted.signal.addEventListener('abort', giveUp, { once: true });
  });
}

function stop(): Promise<void> {
  stopping ??= (async () => {
    for (const end of ends) await Promise.resolve(end()).catch(() => undefined);
    await lab?.stop();
  })();
  return stopping;
}
