import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';

import { buildingName, cacheFolder, withBuildLock } from './cache.js';
import { keepProcess } from './kept-process.js';
import { runProgram } from './run-program.js';

export interface PackageSet {
  /** Names the cache folder. */
  readonly name: string;
  /** Debian's suite, for example "sid". */
  readonly suite: string;
  /** The first one gives the set its version. */
  readonly packages: readonly string[];
  /** Packages of the dependency tree that are left out. */
  readonly without?: readonly string[];
  /** Days after which the mirror is asked for a newer version; never when absent. */
  readonly refreshAfterDays?: number;
  /** Last touches before the folder counts as whole. */
  readonly finish?: (root: string) => Promise<void>;
}

export interface UnpackedPackages {
  /** Where the packages' files lie, as if it were "/". */
  readonly root: string;
  /** Folders of the libraries, for example <root>/usr/lib/x86_64-linux-gnu. */
  readonly libraries: readonly string[];
  /** Debian's version of the first package. */
  readonly version: string;
  /** The command line that runs one of the programs with the set's own loader and libraries. */
  command(program: string, args: readonly string[]): { command: string; args: string[] };
}

export type Report = (line: string) => void;

const ARCHITECTURES: Record<string, { readonly triplet: string; readonly loader: string }> = {
  amd64: { triplet: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' },
  arm64: { triplet: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' },
};

interface Pointer {
  readonly folder: string;
  readonly version: string;
  readonly checkedAt: string;
}

/**
 * Debian packages unpacked into the cache, without root and without touching what the host has installed: apt works
 * with a state of its own on the mirror that the host's sources name. Built aside and renamed when whole.
 */
export async function unpackedPackages(set: PackageSet, report: Report): Promise<UnpackedPackages> {
  const base = join(cacheFolder(), 'debian');
  const pointerFile = join(base, `${set.name}-${set.suite}-${contentsOf(set)}.json`);
  const fresh = await readPointer(base, pointerFile);
  if (fresh && !isDue(fresh, set)) return opened(base, fresh);

  return withBuildLock(base, async () => {
    const last = await readPointer(base, pointerFile);
    // Another process may have built it while this one waited for the lock.
    if (last && !isDue(last, set)) return opened(base, last);
    try {
      const next = await build(base, set, report);
      await writeAtomically(pointerFile, JSON.stringify(next));
      return await opened(base, next);
    } catch (error) {
      if (!last) throw error;
      report(`warning: ${(error as Error).message.split('\n')[0]} - going on with ${set.name} ${last.version}`);
      return opened(base, last);
    }
  });
}

/** Sets that differ in their packages lie beside each other: a checkout that wants one more does not spoil the other's. */
function contentsOf({ packages, without = [] }: PackageSet): string {
  return createHash('sha256')
    .update(JSON.stringify([packages, without]))
    .digest('hex')
    .slice(0, 8);
}

async function readPointer(base: string, file: string): Promise<Pointer | undefined> {
  if (!existsSync(file)) return undefined;
  const pointer = JSON.parse(await readFile(file, 'utf8')) as Pointer;
  return existsSync(join(base, pointer.folder)) ? pointer : undefined;
}

function isDue(pointer: Pointer, set: PackageSet): boolean {
  if (set.refreshAfterDays === undefined) return false;
  return Date.now() - Date.parse(pointer.checkedAt) > set.refreshAfterDays * 86_400_000;
}

async function opened(base: string, pointer: Pointer): Promise<UnpackedPackages> {
  const { triplet, loader } = await architecture();
  const root = join(base, pointer.folder);
  // Before Debian 13 the libraries that a machine needs to boot, and the loader, were in /lib.
  const folders = [join('usr/lib', triplet), join('lib', triplet), 'usr/lib'];
  const libraries = folders.map((folder) => join(root, folder)).filter(existsSync);
  return {
    root,
    libraries,
    version: pointer.version,
    command(program, args) {
      const ownLoader = libraries.map((folder) => join(folder, loader)).find(existsSync);
      if (ownLoader === undefined) throw new Error(`${root} has no ${loader}: remove that folder and start again`);
      return { command: ownLoader, args: ['--library-path', libraries.join(':'), join(root, program), ...args] };
    },
  };
}

async function build(base: string, set: PackageSet, report: Report): Promise<Pointer> {
  const mirror = await debianMirror();
  const building = join(base, buildingName());
  const archives = join(building, 'archives');
  const root = join(building, 'root');
  await mkdir(join(archives, 'partial'), { recursive: true });
  await mkdir(root);
  const configuration = await writeAptConfiguration(base, set.suite, mirror, archives);
  const apt = ['-c', configuration];

  report(`asking the Debian mirror for ${set.packages[0]} (${set.suite})`);
  await runOrThrow(building, 'apt-get', [...apt, 'update'], `the package list of Debian ${set.suite} (${mirror.uri})`);
  const version = await candidate(apt, set);
  const plainVersion = version.replace(/^\d+:/, '').replace(/[^A-Za-z0-9.-]+/g, '_');
  const folder = `${set.name}-${set.suite}-${plainVersion}-${contentsOf(set)}`;
  const pointer = { folder, version, checkedAt: new Date().toISOString() };
  if (!existsSync(join(base, folder))) {
    report(`getting ${set.packages.join(', ')} ${version} from Debian ${set.suite}: once, some minutes on a slow line`);
    const install = ['install', '--yes', '--download-only', ...set.packages];
    await runOrThrow(building, 'apt-get', [...apt, ...install], `the packages ${set.packages.join(', ')}`);
    await unpack(building, archives, root, set.without ?? []);
    await set.finish?.(root);
    await writeFile(join(root, 'VERSION'), `${version}\n`);
    await rename(root, join(base, folder));
  }
  await rm(building, { recursive: true, force: true });
  return pointer;
}

async function unpack(building: string, archives: string, root: string, without: readonly string[]): Promise<void> {
  const files = (await readdir(archives))
    .filter((name) => name.endsWith('.deb') && !without.includes(name.slice(0, name.indexOf('_'))))
    .sort();
  const worker = async () => {
    for (let file = files.pop(); file !== undefined; file = files.pop()) {
      await runOrThrow(building, 'dpkg-deb', ['-x', join(archives, file), root], `unpacking ${file}`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, worker));
  for (const unused of ['usr/share/doc', 'usr/share/man', 'usr/share/locale', 'usr/share/lintian', 'usr/share/info']) {
    await rm(join(root, unused), { recursive: true, force: true });
  }
}

async function candidate(apt: readonly string[], set: PackageSet): Promise<string> {
  const { stdout } = await runProgram('apt-cache', [...apt, 'policy', set.packages[0] ?? ''], plainEnvironment());
  const version = /^ {2}Candidate: (\S+)$/m.exec(stdout)?.[1];
  if (!version || version === '(none)') {
    throw new Error(`Debian ${set.suite} has no package ${set.packages[0]} today`);
  }
  return version;
}

interface Mirror {
  readonly uri: string;
  readonly signedBy: string | undefined;
}

/** The mirror that the host's own apt sources name for its Debian release, or what LAB_DEBIAN_MIRROR says. */
async function debianMirror(): Promise<Mirror> {
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  const signedBy = existsSync(keyring) ? keyring : undefined;
  const named = process.env['LAB_DEBIAN_MIRROR'];
  if (named) return { uri: named, signedBy };
  const codename = await debianCodename();
  const targets = await runProgram(
    'apt-get',
    ['indextargets', '--format', '$(REPO_URI) $(RELEASE) $(COMPONENT)', 'Created-By: Packages'],
    plainEnvironment(),
  );
  if (targets.code === 127) {
    throw new Error('apt-get is missing: the lab takes Asterisk from Debian packages and needs Debian 12 or newer');
  }
  for (const line of targets.stdout.split('\n')) {
    const [uri, release, component] = line.split(' ');
    if (
      uri &&
      component === 'main' &&
      release !== undefined &&
      [codename, 'stable', 'sid', 'unstable'].includes(release)
    ) {
      return { uri, signedBy };
    }
  }
  throw new Error(
    'no Debian mirror in the apt sources of this machine: name one, as in LAB_DEBIAN_MIRROR=<address of a mirror> npm test',
  );
}

/** For example "bookworm"; from /etc/os-release. */
export async function debianCodename(): Promise<string | undefined> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(release)?.[1];
}

async function architecture(): Promise<{ readonly triplet: string; readonly loader: string; readonly name: string }> {
  const name = { x64: 'amd64', arm64: 'arm64' }[process.arch as string];
  const known = name === undefined ? undefined : ARCHITECTURES[name];
  if (name === undefined || known === undefined || process.platform !== 'linux') {
    throw new Error(`the lab runs on Debian on x64 or arm64, not on ${process.platform} ${process.arch}`);
  }
  return { ...known, name };
}

async function writeAptConfiguration(base: string, suite: string, mirror: Mirror, archives: string): Promise<string> {
  const state = join(base, `apt-${suite}`);
  await mkdir(join(state, 'lists/partial'), { recursive: true });
  const { name: arch } = await architecture();
  const options = mirror.signedBy ? `arch=${arch} signed-by=${mirror.signedBy}` : `arch=${arch}`;
  await writeFile(join(state, 'sources.list'), `deb [${options}] ${mirror.uri} ${suite} main\n`);
  // No package counts as installed, so that everything a program needs comes along.
  await writeFile(join(state, 'status'), '');
  const file = join(state, 'apt.conf');
  // Given by "-c", it is read after the host's files: their proxies stay, their hooks (which clean the host's own
  // cache) and pins do not.
  await writeFile(
    file,
    [
      '#clear APT::Update;',
      '#clear DPkg::Pre-Install-Pkgs;',
      '#clear DPkg::Pre-Invoke;',
      '#clear DPkg::Post-Invoke;',
      '#clear APT::Default-Release;',
      '#clear APT::Architectures;',
      `APT::Architectures { "${arch}"; };`,
      'APT::Update::Error-Mode "any";',
      'APT::Install-Recommends "0";',
      'APT::Sandbox::User "";',
      'Acquire::Retries "3";',
      'Acquire::Languages { "none"; };',
      'Debug::NoLocking "1";',
      `Dir::State "${state}";`,
      `Dir::State::status "${join(state, 'status')}";`,
      `Dir::State::Lists "${join(state, 'lists')}";`,
      `Dir::Etc::SourceList "${join(state, 'sources.list')}";`,
      'Dir::Etc::SourceParts "/dev/null";',
      'Dir::Etc::Preferences "/dev/null";',
      'Dir::Etc::PreferencesParts "/dev/null";',
      `Dir::Cache "${state}";`,
      `Dir::Cache::archives "${archives}";`,
      '',
    ].join('\n'),
  );
  return file;
}

/** Runs a program that ends with us, and throws what it said last when it fails. */
async function runOrThrow(building: string, command: string, args: readonly string[], what: string): Promise<void> {
  const logFile = join(await mkdtemp(join(building, 'log-')), 'log');
  const { env } = plainEnvironment();
  const kept = await keepProcess(command, args, { logFile, aliveFile: '-', env, graceSeconds: 2 });
  const code = await kept.exited;
  if (code === 0) return;
  if (code === 127)
    throw new Error(`${command} is missing: the lab takes its parts from Debian packages (apt install apt dpkg)`);
  const said = (await readFile(logFile, 'utf8')).trim().split('\n').slice(-5).join('\n');
  throw new Error(`could not get ${what}:\n${said}`);
}

function plainEnvironment(): { env: NodeJS.ProcessEnv; cwd: string } {
  return { env: { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' }, cwd: tmpdir() };
}

async function writeAtomically(file: string, text: string): Promise<void> {
  const aside = `${file}.${process.pid}`;
  await writeFile(aside, text);
  await rename(aside, file);
}
