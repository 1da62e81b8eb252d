import { readFileSync, readdirSync } from 'node:fs';

/** Clock ticks a second, as Linux reports processor time. */
const TICKS = 100;

type Stat = { readonly pid: number; readonly parent: number; readonly ms: number };

/**
 * Processor time that a process and its descendants have used so far, ms: user and system, of all threads, and of
 * children that have ended. From /proc/<pid>/stat (proc(5)).
 */
export function processorMs(pid: number): number {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readStat(Number(name)) ?? []);
  const children = new Map<number, Stat[]>();
  for (const stat of all) children.set(stat.parent, [...(children.get(stat.parent) ?? []), stat]);
  const sum = (stat: Stat): number =>
    stat.ms + (children.get(stat.pid) ?? []).reduce((total, child) => total + sum(child), 0);
  const own = all.find((stat) => stat.pid === pid);
  return own === undefined ? Number.NaN : sum(own);
}

function readStat(pid: number): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may hold anything; the numbers follow the last bracket.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = [11, 12, 13, 14].reduce((total, field) => total + Number(fields[field]), 0);
    return { pid, parent: Number(fields[1]), ms: (ticks / TICKS) * 1000 };
  } catch {
    return null;
  }
}
