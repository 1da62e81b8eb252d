// npm run bench -- [--json FILE] [--rates 10,20,40] [--calls 600] [--runs 3] [--observe] [--profile DIR]
// npm run bench -- --live 100,500,1000,2000 [--json FILE]
import { writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';

import { startLab, type Lab } from '../lab/start-lab.js';
import { measureLiveCalls } from './live-calls.js';
import { measureReference, measureRingline, type Measured } from './measure.js';
import { medianOf, round } from './statistics.js';

const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    rates: { type: 'string', default: '10,20,40' },
    calls: { type: 'string', default: '600' },
    runs: { type: 'string', default: '3' },
    observe: { type: 'boolean', default: false },
    live: { type: 'string' },
    profile: { type: 'string' },
  },
});
const calls = Number(values.calls);
const runs = Number(values.runs);
const say = (line: string): void => void process.stderr.write(`${line}\n`);

const measured =
  values.live === undefined
    ? await measureRates(values.rates.split(',').map(Number))
    : await measureLiveCalls(values.live.split(',').map(Number), say);
const machine = {
  cpus: cpus().length,
  model: cpus()[0]?.model ?? '',
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.versions.node,
};
const document = JSON.stringify({ machine, ...measured.figures }, null, 2);
if (values.json !== undefined) await writeFile(values.json, `${document}\n`);
process.stdout.write(`${document}\n`);
process.exit(measured.held ? 0 : 1);

/** What each call costs at each rate, beside a bare client. */
async function measureRates(rates: readonly number[]): Promise<{ held: boolean; figures: object }> {
  const steps = [];
  let held = true;
  for (const rate of rates) {
    const load = { rate, calls };
    const ringlines = { ...load, profileDir: values.profile };
    const ways: Record<string, (lab: Lab) => Promise<Measured>> = {
      reference: (lab) => measureReference(lab, load),
      ringline: (lab) => measureRingline(lab, 'driven', ringlines),
      ...(values.observe && {
        observing: (lab) => measureRingline(lab, 'driven-and-observed', ringlines),
        observed: (lab) => measureRingline(lab, 'observed', ringlines),
      }),
    };
    const all: Record<string, Measured[]> = {};
    for (let run = 1; run <= runs; run++) {
      // Everything anew for each, so that neither finds the other's leavings; one after the other, so that all meet the
      // same machine.
      for (const [name, measure] of Object.entries(ways)) {
        const lab = await startLab(name === 'observed' ? { pbx: 'ordinary' } : {});
        try {
          const one = await measure(lab);
          (all[name] ??= []).push(one);
          say(`${rate}/s, run ${run}, ${name}: ${JSON.stringify(one)}`);
        } finally {
          await lab.stop();
        }
      }
    }
    const { reference, ringline, ...watched } = Object.fromEntries(
      Object.entries(all).map(([name, list]) => [name, medianOf(list)]),
    ) as { reference: Measured; ringline: Measured; observing?: Measured; observed?: Measured };
    const control = reference.cpuMsPerCall.control ?? Number.NaN;
    const isVoid = control > 6 || (rate === 40 && reference.completed < calls);
    const ours = [ringline, ...Object.values(watched)];
    held &&= ours.every(({ completed, records }) => completed === calls && records === calls);
    steps.push({
      rate,
      calls,
      runs,
      isVoid,
      reference,
      ringline,
      ...watched,
      ratios: {
        telephonyToReference: round((ringline.cpuMsPerCall.telephony ?? 0) / control),
        allToReference: round(ringlineMs(ringline) / control),
        ...(watched.observing && {
          observingToRingline: round(ringlineMs(watched.observing) / ringlineMs(ringline)),
        }),
        ...(watched.observed && { observedToRingline: round(ringlineMs(watched.observed) / ringlineMs(ringline)) }),
      },
    });
  }
  return { held, figures: { steps } };
}

/** Processor time a call, of all but Asterisk. */
function ringlineMs({ cpuMsPerCall }: Measured): number {
  return ['telephony', 'worker', 'postgres', 'redis'].reduce((sum, part) => sum + (cpuMsPerCall[part] ?? 0), 0);
}
