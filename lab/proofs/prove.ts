// Runs proofs and writes their figures: npm run prove -- NAME|all [--seconds N] [--seed 1] [--calls 100] [--runs N] [--into DIR]
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { keepProcess } from '../kept-process.js';
import { furnishOwnNetwork, inOwnNetwork, isInOwnNetwork } from '../own-network.js';
import { preparePostgres } from '../postgres.js';
import { prepareCaches } from '../prepare-caches.js';
import { projectRoot } from '../project-root.js';
import { inOwnNetworks, proofs, secondsOf, type Asked, type Proved } from './proofs.js';

const say = (line: string): void => void process.stderr.write(`${line}\n`);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    calls: { type: 'string', default: '100' },
    runs: { type: 'string' },
    into: { type: 'string', default: join(projectRoot, 'proofs') },
  },
});
const [name = ''] = positionals;
const names = name === 'all' ? Object.keys(proofs) : [name];
if (!names.every((wanted) => wanted in proofs)) {
  say(`There is no proof "${name}": ${Object.keys(proofs).join(', ')}, or all`);
  process.exit(2);
}
const asked: Omit<Asked, 'limitMs'> = {
  seed: Number(values.seed),
  calls: Number(values.calls),
  runs: values.runs === undefined ? undefined : Number(values.runs),
  report: say,
};
if (isInOwnNetwork()) await furnishOwnNetwork();
await mkdir(values.into, { recursive: true });
let held = true;
for (const wanted of names) held = (await proveOne(wanted)) && held;
process.exit(held ? 0 : 1);

async function proveOne(proof: string): Promise<boolean> {
  if (inOwnNetworks.has(proof) && !isInOwnNetwork()) {
    const options = process.argv.slice(2).filter((word) => word !== name);
    const apart = await inOwnNetwork(process.execPath, [process.argv[1] ?? '', proof, ...options]);
    if (apart !== null) return proveApart(apart);
    say(`${proof}: this machine grants no network of our own, so a proxy stands in for the cut line`);
  }
  const startedAt = new Date();
  const proved = await prove(proof);
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: projectRoot, encoding: 'utf8' }).trim();
  const document = {
    proof,
    held: proved.held,
    startedAt: startedAt.toISOString(),
    seconds: Math.round((Date.now() - startedAt.getTime()) / 1000),
    commit: git('rev-parse', 'HEAD'),
    isCommitted: git('status', '--porcelain', '--', 'src', 'migrations', 'asterisk') === '',
    machine: { node: process.versions.node, cpus: cpus().length, model: cpus()[0]?.model ?? '' },
    figures: proved.figures,
  };
  const file = join(values.into, `${proof}.json`);
  await writeFile(file, `${JSON.stringify(document, null, 2)}\n`);
  say(`${proof}: ${proved.held ? 'it holds' : `it does NOT hold: ${JSON.stringify(proved.figures)}`} (${file})`);
  return proved.held;
}

/** Runs this program once more, and gives whether the proof held there. From a network of our own nothing can be fetched. */
async function proveApart(apart: NonNullable<Awaited<ReturnType<typeof inOwnNetwork>>>): Promise<boolean> {
  await Promise.all([prepareCaches(say), preparePostgres(say)]);
  const { command, args, env } = apart;
  return (await (await keepProcess(command, args, { aliveFile: '-', graceSeconds: 10, env })).exited) === 0;
}

/** One that breaks off does not hold; the others are still run. */
async function prove(proof: string): Promise<Proved> {
  const limitMs = Number(values.seconds ?? secondsOf(proof)) * 1000;
  try {
    return await (proofs[proof] as (asked: Asked) => Promise<Proved>)({ ...asked, limitMs });
  } catch (error) {
    return { held: false, figures: { error: error instanceof Error ? error.stack : String(error) } };
  }
}
