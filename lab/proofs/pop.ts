import { join } from 'node:path';

import type { CallReport } from '../demo/call-report.js';
import { projectRoot } from '../project-root.js';
import { runProgram } from '../run-program.js';

export type PopRun = {
  readonly ok: boolean;
  readonly seconds: number;
  /** Of the incoming call; null when the run did not come so far. */
  readonly popBeforeInviteMs: number | null;
  /** What the command said last when it failed. */
  readonly complaint: string | null;
};

export type PopProof = {
  readonly asked: number;
  readonly runs: readonly PopRun[];
  /** Runs in which everything held and the pop was first. */
  readonly held: number;
  readonly smallestMs: number | null;
  readonly medianMs: number | null;
};

const RUN_TIMEOUT_MS = 180_000;

type Document = { readonly ok: boolean; readonly seconds: number; readonly calls: readonly CallReport[] };

/** `npm run demo -- --once`, time and again: is the pop with the stream's socket before the phone gets its INVITE? */
export async function provePop(options: {
  readonly runs: number;
  readonly limitMs: number;
  readonly report: (line: string) => void;
}): Promise<PopProof> {
  const until = performance.now() + options.limitMs;
  const runs: PopRun[] = [];
  while (runs.length < options.runs && performance.now() < until) {
    const run = await demoOnce();
    runs.push(run);
    options.report(`run ${runs.length}: ${JSON.stringify(run)}`);
  }
  const sorted = runs.flatMap(({ popBeforeInviteMs }) => popBeforeInviteMs ?? []).sort((one, other) => one - other);
  return {
    asked: options.runs,
    runs,
    held: runs.filter(({ ok, popBeforeInviteMs }) => ok && (popBeforeInviteMs ?? 0) > 0).length,
    smallestMs: sorted[0] ?? null,
    medianMs: sorted[Math.floor(sorted.length / 2)] ?? null,
  };
}

async function demoOnce(): Promise<PopRun> {
  const { code, stdout, stderr } = await runProgram(
    process.execPath,
    [join(projectRoot, 'scripts/demo.mjs'), '--once'],
    { cwd: projectRoot, timeoutMs: RUN_TIMEOUT_MS },
  );
  const complaint = code === 0 ? null : stderr.trim().split('\n').slice(-5).join('\n');
  if (stdout.trim() === '') return { ok: false, seconds: 0, popBeforeInviteMs: null, complaint };
  const { ok, seconds, calls } = JSON.parse(stdout) as Document;
  const incoming = calls.find(({ scenario }) => scenario === 'incoming');
  return { ok: ok && code === 0, seconds, popBeforeInviteMs: incoming?.popBeforeInviteMs ?? null, complaint };
}
