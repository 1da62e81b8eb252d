import type { Measured } from './measure.js';

/** The value that `share` of the values do not exceed; NaN for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** The median of each figure over several runs; of counts the worst, of reasons how often each was met in all. */
export function medianOf(runs: readonly Measured[]): Measured {
  const median = (pick: (run: Measured) => number): number => round(quantile(runs.map(pick), 0.5));
  const parts = Object.keys(runs[0]?.cpuMsPerCall ?? {});
  const latencies = Object.keys(runs[0]?.latencyMs ?? {});
  return {
    completed: Math.min(...runs.map(({ completed }) => completed)),
    records: Math.min(...runs.map(({ records }) => records)),
    answered: Math.min(...runs.map(({ answered }) => answered)),
    unanswered: addUp(runs.map(({ unanswered }) => unanswered)),
    webhooks: Math.min(...runs.map(({ webhooks }) => webhooks)),
    settledSeconds: median((run) => run.settledSeconds),
    cpuMsPerCall: Object.fromEntries(
      parts.map((part) => [part, median((run) => run.cpuMsPerCall[part] ?? Number.NaN)]),
    ),
    commits: { perCall: median((run) => run.commits.perCall), meanMs: median((run) => run.commits.meanMs) },
    latencyMs: Object.fromEntries(
      latencies.map((name) => [
        name,
        {
          p50: median((run) => run.latencyMs[name]?.p50 ?? Number.NaN),
          p99: median((run) => run.latencyMs[name]?.p99 ?? Number.NaN),
        },
      ]),
    ),
  };
}

function addUp(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const count of counts) for (const [name, n] of Object.entries(count)) sum[name] = (sum[name] ?? 0) + n;
  return sum;
}
