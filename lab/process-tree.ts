import { readdir, readFile, readlink } from 'node:fs/promises';

/** A process that cannot be taken for a later one with the same id. */
export interface SeenProcess {
  readonly pid: number;
  /** In ticks since the machine booted. */
  readonly startedAt: string;
  readonly command: string;
}

/** A process and everything below it, as /proc tells. */
export async function processTree(root: number): Promise<SeenProcess[]> {
  const seen: SeenProcess[] = [];
  const look = async (pid: number): Promise<void> => {
    const process = await readProcess(pid);
    if (process === null) return;
    seen.push(process);
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
    for (const child of children.split(' ').filter(Boolean)) await look(Number(child));
  };
  await look(root);
  return seen;
}

/** Whether it still runs; one that ended and is not yet waited for does not. */
export async function isRunning({ pid, startedAt }: SeenProcess): Promise<boolean> {
  const now = await readProcess(pid);
  return now !== null && now.startedAt === startedAt;
}

/** The sockets a process holds, by the kernel's own number. */
export async function socketsOf(pid: number): Promise<string[]> {
  const names = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const targets = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
  return targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []);
}

/** Sockets of this machine that listen, or are bound for UDP, by the kernel's own number: their local addresses. */
export async function openListeners(): Promise<ReadonlyMap<string, string>> {
  const LISTENING = '0A';
  const found = new Map<string, string>();
  for (const protocol of ['tcp', 'tcp6', 'udp', 'udp6']) {
    const text = await readFile(`/proc/net/${protocol}`, 'utf8').catch(() => '');
    for (const line of text.split('\n').slice(1)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (!local || !inode || (protocol.startsWith('tcp') && state !== LISTENING)) continue;
      found.set(inode, `${protocol} port ${Number.parseInt(local.split(':')[1] ?? '', 16)}`);
    }
  }
  return found;
}

async function readProcess(pid: number): Promise<SeenProcess | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return null;
  // The name stands in brackets and may hold anything.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return null;
  const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ').trim();
  return { pid, startedAt: fields[18] ?? '', command };
}
