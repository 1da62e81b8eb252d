// npm run bench -- [--json FILE] [--rates 10,20,40] [--calls 600] [--runs 3] [--profile DIR]
import { writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';

import { startLab } from '../lab/start-lab.js';
import { measureReference, measureRingline, type Measured } from './measure.js';
import { medianOf, round } from './statistics.js';

const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    rates: { type: 'string', default: '10,20,40' },
    calls: { type: 'string', default: '600' },
    runs: { type: 'string', default: '3' },
    profile: { type: 'string' },
  },
});
const rates = values.rates.split(',').map(Number);
const calls = Number(values.calls);
const runs = Number(values.runs);
const say = (line: string): void => void process.stderr.write(`${line}\n`);

const steps = [];
let held = true;
for (const rate of rates) {
  const reference: Measured[] = [];
  const ringline: Measured[] = [];
  for (let run = 1; run <= runs; run++) {
    // Everything anew for each, so that neither finds the other's leavings; one after the other, so that both meet the
    // same machine.
    for (const [name, list] of [
      ['reference', reference],
      ['ringline', ringline],
    ] as const) {
      const lab = await startLab();
      try {
        const measured =
          name === 'reference'
            ? await measureReference(lab, { rate, calls })
            : await measureRingline(lab, { rate, calls, profileDir: values.profile });
        list.push(measured);
        say(`${rate}/s, run ${run}, ${name}: ${JSON.stringify(measured)}`);
      } finally {
        await lab.stop();
      }
    }
  }
  const floor = medianOf(reference);
  const ours = medianOf(ringline);
  const control = floor.cpuMsPerCall.control ?? Number.NaN;
  const ringlineTotal = ['telephony', 'worker', 'postgres', 'redis'].reduce(
    (sum, part) => sum + (ours.cpuMsPerCall[part] ?? 0),
    0,
  );
  const isVoid = control > 6 || (rate === 40 && floor.completed < calls);
  held &&= ours.completed === calls && ours.records === calls;
  steps.push({
    rate,
    calls,
    runs,
    isVoid,
    reference: floor,
    ringline: ours,
    ratios: {
      telephonyToReference: round((ours.cpuMsPerCall.telephony ?? 0) / control),
      allToReference: round(ringlineTotal / control),
    },
  });
}
const machine = {
  cpus: cpus().length,
  model: cpus()[0]?.model ?? '',
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.versions.node,
};
const document = JSON.stringify({ machine, steps }, null, 2);
if (values.json !== undefined) await writeFile(values.json, `${document}\n`);
process.stdout.write(`${document}\n`);
process.exit(held ? 0 : 1);
