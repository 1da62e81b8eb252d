import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, readdir, readFile, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

import pg from 'pg';

import { buildingName, cacheFolder, withBuildLock } from './cache.js';
import { debianCodename, unpackedPackages, type Report } from './debian-packages.js';
import { keepProcess, type KeptProcess } from './kept-process.js';
import { runProgram } from './run-program.js';
import { waitFor } from './wait-for.js';

export interface LabPostgres {
  /** Of the database "postgres"; tests make their own with `createDatabase`. */
  readonly url: string;
  readonly version: string;
  /** Process id of the server; undefined when DATABASE_URL named one that is not ours. */
  readonly pid: number | undefined;
  /** Makes an empty database, or a copy of the one whose URL or name is given, and returns its URL. */
  createDatabase(template?: string): Promise<string>;
  dropDatabase(url: string): Promise<void>;
  /** fast: connections are cut, data is written. immediate: as in a crash. kill: kill -9. */
  stop(mode: 'fast' | 'immediate' | 'kill'): Promise<void>;
  start(): Promise<void>;
  /** To the server and all its backends: SIGSTOP freezes it, with its connections open. */
  signalAll(signal: NodeJS.Signals): Promise<void>;
}

export interface StartPostgresOptions {
  readonly dir: string;
  readonly port: number;
  readonly aliveFile: string;
  readonly report: Report;
}

interface Programs {
  readonly bin: string;
  readonly env: NodeJS.ProcessEnv;
}

type Ended = { end(): Promise<void> };

/** Uses the server that DATABASE_URL names, making and dropping databases of its own in it. */
export async function useGivenPostgres(url: string): Promise<LabPostgres & Ended> {
  const made: string[] = [];
  const databases = databasesAt(url, made);
  const notOurs = () => Promise.reject(new Error('DATABASE_URL names a server that the lab does not own: unset it'));
  return {
    url,
    version: await serverVersion(url),
    pid: undefined,
    ...databases,
    stop: notOurs,
    start: notOurs,
    signalAll: notOurs,
    end: async () => {
      for (const database of made) await databases.dropDatabase(database);
    },
  };
}

export async function startPostgres(options: StartPostgresOptions): Promise<LabPostgres & Ended> {
  const { dir, port, aliveFile } = options;
  const programs = await findPrograms(options.report);
  const data = join(dir, 'data');
  const logFile = join(dir, 'postgres.log');
  const url = `postgresql://postgres@127.0.0.1:${port}/postgres`;

  const copied = await runProgram('cp', ['-a', await initialData(programs), data]);
  if (copied.code !== 0) throw new Error(`the data folder could not be copied: ${copied.stderr}`);
  await appendFile(
    join(data, 'postgresql.conf'),
    [
      `listen_addresses = '127.0.0.1'`,
      `port = ${port}`,
      `unix_socket_directories = ''`,
      'max_connections = 200',
      'shared_buffers = 64MB',
      'jit = off',
      `timezone = 'UTC'`,
      '',
    ].join('\n'),
  );

  const start = async (): Promise<KeptProcess> => {
    const server = asOrdinaryUser(join(programs.bin, 'postgres'), ['-D', data]);
    const kept = await keepProcess(server.command, server.args, {
      logFile,
      aliveFile,
      // At once, without writing what is in memory: the data goes with the lab.
      stopSignal: 'QUIT',
      env: programs.env,
      cwd: dir,
    });
    await waitFor(
      async () => {
        if (kept.hasExited()) throw new Error(`PostgreSQL did not start: see ${logFile}`);
        return serverVersion(url).catch(() => undefined);
      },
      { what: `PostgreSQL to answer (${logFile})`, timeoutMs: 60_000, everyMs: 50 },
    );
    return kept;
  };

  let kept = await start();
  return {
    url,
    version: await serverVersion(url),
    get pid() {
      return kept.pid;
    },
    ...databasesAt(url, []),
    async stop(mode) {
      const backends = await childrenOf(kept.pid);
      kept.signal(mode === 'fast' ? 'SIGINT' : mode === 'immediate' ? 'SIGQUIT' : 'SIGKILL');
      await kept.exited;
      // After kill -9 they notice by themselves, and no new server starts on the data before the last one has gone.
      await waitFor(() => backends.every((pid) => !existsSync(`/proc/${pid}`)), { what: 'the backends to end' });
    },
    async start() {
      if (kept.hasExited()) kept = await start();
    },
    async signalAll(signal) {
      for (const pid of [kept.pid, ...(await childrenOf(kept.pid)).map(Number)]) process.kill(pid, signal);
    },
    end: () => kept.stop(),
  };
}

/** Fills the cache that a first start would fill. */
export async function preparePostgres(report: Report): Promise<void> {
  await initialData(await findPrograms(report));
}

function databasesAt(url: string, made: string[]): Pick<LabPostgres, 'createDatabase' | 'dropDatabase'> {
  return {
    async createDatabase(template) {
      const name = `lab_${randomBytes(6).toString('hex')}`;
      const from = template === undefined ? '' : ` template "${databaseName(template)}"`;
      await query(url, `create database "${name}"${from}`);
      const created = new URL(url);
      created.pathname = `/${name}`;
      made.push(created.href);
      return created.href;
    },
    async dropDatabase(database) {
      await query(url, `drop database if exists "${databaseName(database)}" with (force)`);
    },
  };
}

/**
 * A fresh data folder in the cache, for this version and user: copying it takes a tenth of the time of initdb, and
 * every lab needs one.
 */
async function initialData({ bin, env }: Programs): Promise<string> {
  const { stdout: version } = await runProgram(join(bin, 'postgres'), ['--version'], { env });
  const base = join(cacheFolder(), 'postgres-data');
  const folder = join(base, `${version.trim().replace(/[^A-Za-z0-9.]+/g, '-')}-${process.getuid?.() ?? 0}`);
  if (existsSync(folder)) return folder;
  return withBuildLock(base, async () => {
    if (existsSync(folder)) return folder;
    const building = join(base, buildingName());
    const { command, args } = asOrdinaryUser(join(bin, 'initdb'), [
      `--pgdata=${building}`,
      '--username=postgres',
      '--auth=trust',
      '--locale=C',
      '--encoding=UTF8',
    ]);
    const logFile = `${building}.log`;
    const kept = await keepProcess(command, args, { logFile, aliveFile: '-', env, cwd: base });
    const code = await kept.exited;
    const said = await readFile(logFile, 'utf8');
    if (code !== 0) throw new Error(`initdb failed${hintForRoot(said)}:\n${said}`);
    await rm(logFile);
    await rename(building, folder);
    return folder;
  });
}

async function childrenOf(pid: number): Promise<string[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return children.split(' ').filter(Boolean);
}

function databaseName(urlOrName: string): string {
  return urlOrName.includes('://') ? new URL(urlOrName).pathname.slice(1) : urlOrName;
}

async function serverVersion(url: string): Promise<string> {
  const { rows } = await query(url, 'show server_version');
  return String(rows[0]?.['server_version']).split(' ')[0] ?? '';
}

async function query(url: string, sql: string): Promise<pg.QueryResult<Record<string, unknown>>> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await client.query<Record<string, unknown>>(sql);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The newest one on the host; where there is none, Debian's package for this very release, unpacked. */
async function findPrograms(report: Report): Promise<Programs> {
  const versions = (await readdir('/usr/lib/postgresql').catch(() => []))
    .filter((name) => existsSync(`/usr/lib/postgresql/${name}/bin/initdb`))
    .sort((one, other) => Number(other) - Number(one));
  if (versions[0]) return { bin: `/usr/lib/postgresql/${versions[0]}/bin`, env: process.env };

  const suite = await debianCodename();
  if (!suite) throw new Error('PostgreSQL is missing: install it (apt install postgresql), or set DATABASE_URL');
  // Its programs run each other by path, so no foreign loader can carry them: they come from the host's own release,
  // run on the host's own C library, and find the rest by LD_LIBRARY_PATH.
  const unpacked = await unpackedPackages(
    { name: 'postgresql', suite, packages: ['postgresql'], without: ['libc6', 'libc-bin', 'libgcc-s1', 'libstdc++6'] },
    report,
  );
  const base = join(unpacked.root, 'usr/lib/postgresql');
  const version = (await readdir(base)).sort((one, other) => Number(other) - Number(one))[0];
  const libraries = [...unpacked.libraries, process.env['LD_LIBRARY_PATH']].filter(Boolean).join(delimiter);
  return { bin: join(base, String(version), 'bin'), env: { ...process.env, LD_LIBRARY_PATH: libraries } };
}

/**
 * PostgreSQL refuses to run as root. In a user namespace of its own it is not root, while outside its files stay
 * root's: no user has to be made, and a folder of mode 0700 is no obstacle.
 */
function asOrdinaryUser(command: string, args: readonly string[]): { command: string; args: string[] } {
  if (process.getuid?.() !== 0) return { command, args: [...args] };
  return { command: 'unshare', args: ['--user', '--map-user=1000', '--map-group=1000', command, ...args] };
}

function hintForRoot(stderr: string): string {
  return stderr.includes('unshare')
    ? ' (root needs user namespaces here: run as an ordinary user, or set DATABASE_URL)'
    : '';
}
