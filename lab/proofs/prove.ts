// Runs one proof and writes its figures: npm run prove -- lost-answers [--seconds 600] [--seed 1] [--calls 100]
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { projectRoot } from '../project-root.js';
import { proveLostAnswers } from './lost-answers.js';
import { provePop } from './pop.js';
import { storm, stormHeld } from './storm.js';

type Asked = { readonly seed: number; readonly limitMs: number; readonly calls: number };
type Proved = { readonly held: boolean; readonly figures: unknown };
const say = (line: string): void => void process.stderr.write(`${line}\n`);

const proofs: Readonly<Record<string, (asked: Asked) => Promise<Proved>>> = {
  'lost-answers': async ({ seed, limitMs, calls }) => {
    const figures = await proveLostAnswers({ seed, limitMs, callsPerKind: calls, report: say });
    const held =
      figures.isComplete &&
      figures.survived &&
      figures.leftChannels === 0 &&
      figures.leftBridges === 0 &&
      figures.kinds.every(
        (kind) =>
          kind.doubleInvites === 0 &&
          kind.lost >= kind.calls * 0.95 &&
          kind.completed + kind.endedWithReason >= kind.calls * 0.95,
      );
    return { held, figures };
  },
  kills: (asked) => proveKills(asked, false),
  // The same with the switch's own log: every caller who came into our app has a record.
  'kills-cel': (asked) => proveKills(asked, true),
  freeze: async () => {
    const figures = await storm({ callsPerSecond: 5, seconds: 60, blows: [{ at: 15, what: { freezeSeconds: 30 } }], report: say });
    return { held: stormHeld(figures), figures };
  },
  partition: async () => {
    const figures = await storm({ callsPerSecond: 5, seconds: 50, blows: [{ at: 15, what: { partitionSeconds: 15 } }], report: say });
    return { held: stormHeld(figures), figures };
  },
  pop: async ({ limitMs }) => {
    const figures = await provePop({ runs: 20, limitMs, report: say });
    return { held: figures.held === figures.asked, figures };
  },
};

/** A blow every eight seconds: three kills, three requests to stop. */
async function proveKills({ limitMs }: Asked, readsCel: boolean): Promise<Proved> {
  const seconds = Math.min(60, Math.max(15, Math.floor(limitMs / 1000) - 30));
  const blows = (['kill', 'kill', 'kill', 'terminate', 'terminate', 'terminate'] as const)
    .map((what, i) => ({ at: 8 + 8 * i, what }))
    .filter(({ at }) => at < seconds);
  const figures = await storm({ callsPerSecond: 5, seconds, blows, readsCel, report: say });
  return { held: stormHeld(figures) && (!readsCel || figures.neverInApp === 0), figures };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '900' },
    seed: { type: 'string', default: '1' },
    calls: { type: 'string', default: '100' },
  },
});
const [name = ''] = positionals;
const prove = proofs[name];
if (prove === undefined) {
  say(`There is no proof "${name}": ${Object.keys(proofs).join(', ')}`);
  process.exit(2);
}
const startedAt = new Date();
const { held, figures } = await prove({
  seed: Number(values.seed),
  limitMs: Number(values.seconds) * 1000,
  calls: Number(values.calls),
});
const git = (...args: string[]): string => execFileSync('git', args, { cwd: projectRoot, encoding: 'utf8' }).trim();
const document = {
  proof: name,
  held,
  startedAt: startedAt.toISOString(),
  seconds: Math.round((Date.now() - startedAt.getTime()) / 1000),
  commit: git('rev-parse', 'HEAD'),
  isCommitted: git('status', '--porcelain', '--', 'src', 'migrations', 'asterisk') === '',
  machine: { node: process.versions.node, cpus: cpus().length, model: cpus()[0]?.model ?? '' },
  figures,
};
const file = join(projectRoot, 'proofs', `${name}.json`);
await mkdir(join(projectRoot, 'proofs'), { recursive: true });
await writeFile(file, `${JSON.stringify(document, null, 2)}\n`);
say(`${held ? 'It holds' : 'It does NOT hold'}: ${file}`);
process.exit(held ? 0 : 1);
