import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { UnpackedPackages } from './debian-packages.js';
import { fillPlaceholders } from './fill-placeholders.js';
import type { LabPorts } from './ports.js';
import { projectRoot } from './project-root.js';

/** The branch of Asterisk. */
export type AsteriskVersion = 16 | 22;

/**
 * "ringline": asterisk/lab, which hands its calls to Ringline. "ordinary": asterisk/ordinary-pbx, a small company's, which
 * does not know Ringline.
 */
export type Pbx = 'ringline' | 'ordinary';

export interface ConfigurationOptions {
  readonly dir: string;
  readonly packages: UnpackedPackages;
  readonly ports: LabPorts;
  readonly password: string;
  readonly asterisk: AsteriskVersion;
  readonly pbx: Pbx;
  /** Whether an ordinary PBX has res_stasis_device_state loaded, as FreePBX does. */
  readonly deviceStates: boolean;
}

/** Modules that Asterisk 16 does not have yet; 22 needs them. */
const NOT_IN_16 = ['res_cdrel_custom.so', 'res_websocket_client.so'];

/** Asterisk does without them, but reports each that is not there as an error. */
const MAY_BE_EMPTY = ['acl', 'ccss', 'features', 'pjproject', 'queuerules', 'udptl', 'websocket_client'];

/** Writes everything that Asterisk reads below `dir`, in the folder "etc". */
export async function renderConfiguration(options: ConfigurationOptions): Promise<void> {
  const { dir, packages, ports } = options;
  const etc = join(dir, 'etc');
  for (const folder of ['etc', 'var/keys', 'spool/recording', 'run', 'log/cel-custom']) {
    await mkdir(join(dir, folder), { recursive: true });
  }
  await cp(join(packages.root, 'var/lib/asterisk'), join(dir, 'var'), { recursive: true });
  await copyFolder('lab', etc);
  if (options.pbx === 'ordinary') await copyFolder('ordinary-pbx', etc);
  else await copyFolder('ringline', join(etc, 'ringline'));
  await keepFilesFor(options.asterisk, etc);

  for (const name of MAY_BE_EMPTY) await writeFile(join(etc, `${name}.conf`), '', { flag: 'a' });

  const values: Record<string, string> = {
    ETC_DIR: etc,
    MODULE_DIR: moduleFolder(packages),
    DATA_DIR: join(packages.root, 'usr/share/asterisk'),
    VAR_DIR: join(dir, 'var'),
    SPOOL_DIR: join(dir, 'spool'),
    RUN_DIR: join(dir, 'run'),
    LOG_DIR: join(dir, 'log'),
    ARI_PASSWORD: options.password,
    HTTP_ADDRESS: '127.0.0.1',
    HTTP_PORT: String(ports.http),
    SIP_ADDRESS: '127.0.0.1',
    SIP_PORT: String(ports.sip),
    TRUNK_HOST: '127.0.0.1',
    TRUNK_PORT: String(ports.trunk),
    TRUNK2_PORT: String(ports.trunk2),
    TRUNK_DOWN_PORT: String(ports.trunkDown),
    STASIS_DEVICE_STATE: options.deviceStates ? 'load' : 'noload',
  };
  for (const name of await readdir(etc, { recursive: true })) {
    if (!name.endsWith('.conf')) continue;
    const file = join(etc, name);
    const text = fillPlaceholders(await readFile(file, 'utf8'), values, name);
    await writeFile(file, options.asterisk === 16 ? withoutModules(text, NOT_IN_16) : text, { mode: 0o600 });
  }
}

/** Where the configuration lets CEL be written, below `dir`. */
export function celFileOf({ dir, asterisk, pbx }: Pick<ConfigurationOptions, 'dir' | 'asterisk' | 'pbx'>): string {
  const name = asterisk === 16 ? 'Master.csv' : pbx === 'ordinary' ? 'cel.json' : 'ringline.csv';
  return join(dir, 'log/cel-custom', name);
}

function copyFolder(name: string, to: string): Promise<void> {
  return cp(join(projectRoot, 'asterisk', name), to, { recursive: true });
}

/** "cel_custom.16.conf" takes the place of "cel_custom.conf" on Asterisk 16, and is of no use elsewhere. */
async function keepFilesFor(asterisk: AsteriskVersion, etc: string): Promise<void> {
  for (const name of await readdir(etc)) {
    const plain = name.replace(/\.16\.conf$/, '.conf');
    if (plain === name) continue;
    if (asterisk === 16) await rename(join(etc, name), join(etc, plain));
    else await rm(join(etc, name));
  }
}

function withoutModules(text: string, modules: readonly string[]): string {
  return text
    .split('\n')
    .filter((line) => !modules.some((module) => line.trim() === `load=${module}`))
    .join('\n');
}

/** Debian moved it between the two suites. */
function moduleFolder({ root, libraries }: UnpackedPackages): string {
  const folder = libraries.map((path) => join(path, 'asterisk/modules')).find(existsSync);
  if (folder === undefined) throw new Error(`${root} has no modules of Asterisk: remove that folder and start again`);
  return folder;
}
