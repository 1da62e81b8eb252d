import { readdirSync, readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { readConfig, settingsSchema } from '../../src/config/config.js';

type Service = {
  readonly image?: string;
  readonly build?: string | { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly restart?: string;
  readonly stop_grace_period?: string;
};

const text = readFileSync('docker-compose.yml', 'utf8');
const compose = load(text) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};
const { services } = compose;
const settings = Object.keys(settingsSchema.shape);

/** As compose does: `${NAME:-default}`, and `${NAME:?why}` which has no default. */
function fillIn(value: string, given: Readonly<Record<string, string>>): string {
  return value.replace(/\$\{(\w+):([-?])([^}]*)\}/g, (_, name: string, kind: string, rest: string) => {
    const known = given[name];
    if (known !== undefined) return known;
    if (kind === '?') throw new Error(`${name} is required`);
    return rest;
  });
}

const given = {
  POSTGRES_PASSWORD: 'p'.repeat(20),
  REDIS_PASSWORD: 'r'.repeat(20),
  ARI_PASSWORD: 'a'.repeat(20),
  SECRET_KEY: 'ab'.repeat(32),
  BOOTSTRAP_API_KEY: 'k'.repeat(32),
};

function environmentOf(name: string): Record<string, string> {
  const entries = Object.entries(services[name]?.environment ?? {});
  return Object.fromEntries(entries.map(([key, value]) => [key, fillIn(value, given)]));
}

/** Instructions of a Dockerfile, each with its continuation lines. */
function instructions(file: string): { readonly word: string; readonly rest: string }[] {
  return readFileSync(file, 'utf8')
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => ({ word: line.slice(0, line.indexOf(' ')), rest: line.slice(line.indexOf(' ') + 1).trim() }));
}

/** What the last stage of a Dockerfile says. */
function finalStage(file: string): { readonly word: string; readonly rest: string }[] {
  const all = instructions(file);
  return all.slice(all.findLastIndex(({ word }) => word === 'FROM'));
}

function dockerEnv(): Record<string, string> {
  const pairs = finalStage('Dockerfile').filter(({ word }) => word === 'ENV');
  return Object.fromEntries(pairs.flatMap(({ rest }) => rest.split(/\s+/).map((pair) => pair.split('=', 2))));
}

describe('docker-compose.yml', () => {
  it('gives Ringline settings that exist, and all that production needs', () => {
    const environment = environmentOf('ringline');
    expect(Object.keys(environment).filter((name) => !settings.includes(name))).toEqual([]);
    const config = readConfig(environment);
    expect(config).toMatchObject({ production: true, role: 'all', http: { host: '0.0.0.0', port: 3000 } });
    expect(config.secretKey).toBe(given.SECRET_KEY);
    expect(config.bootstrapApiKey).toBe(given.BOOTSTRAP_API_KEY);
  });

  it('has no default for any secret, and names each at its head', () => {
    for (const name of Object.keys(given)) {
      expect(text).toMatch(new RegExp(`\\$\\{${name}:\\?`));
      expect(text).not.toMatch(new RegExp(`\\$\\{${name}(:?-|\\})`));
      expect(text.slice(0, text.indexOf('services:'))).toContain(name);
    }
    const values = Object.values(services).flatMap(({ environment = {} }) => Object.entries(environment));
    const secrets = values.filter(([name]) => /PASSWORD|SECRET|KEY|AUTH/.test(name));
    expect(secrets.length).toBeGreaterThan(4);
    for (const [, value] of secrets) expect(value).toMatch(/^\$\{\w+:\?[^}]+\}$/);
  });

  it('lets Ringline reach its PostgreSQL and Redis by their names, ports and passwords', () => {
    const environment = environmentOf('ringline');
    const database = new URL(environment['DATABASE_URL'] ?? '');
    const postgres = environmentOf('postgres');
    expect(database.hostname in services).toBe(true);
    expect([database.username, database.password, database.pathname]).toEqual([
      postgres['POSTGRES_USER'],
      postgres['POSTGRES_PASSWORD'],
      `/${postgres['POSTGRES_DB']}`,
    ]);
    const redis = new URL(environment['REDIS_URL'] ?? '');
    expect(redis.hostname in services).toBe(true);
    const command = services['redis']?.command?.map((word) => fillIn(word, given)) ?? [];
    expect(command[command.indexOf('--requirepass') + 1]).toBe(redis.password);
  });

  it('runs a Redis that keeps what is queued and throws nothing away', () => {
    const command = services['redis']?.command ?? [];
    expect(command[command.indexOf('--appendonly') + 1]).toBe('yes');
    expect(command[command.indexOf('--maxmemory-policy') + 1]).toBe('noeviction');
    expect(services['redis']?.volumes).toContain('redis-data:/data');
  });

  it('checks the health of every service, and starts Ringline after those it needs', () => {
    for (const [name, { healthcheck, restart }] of Object.entries(services)) {
      expect(healthcheck?.test[0], name).toBe('CMD');
      expect(restart, name).toBe('unless-stopped');
    }
    const needed = services['ringline']?.depends_on ?? {};
    expect(Object.keys(needed).sort()).toEqual(['postgres', 'redis']);
    for (const { condition } of Object.values(needed)) expect(condition).toBe('service_healthy');
    expect(services['ringline']?.healthcheck?.test.join(' ')).toContain('http://127.0.0.1:3000/health/live');
  });

  it('opens ports to this host only, and those that Ringline listens on', () => {
    const ports = Object.values(services).flatMap(({ ports: own = [] }) => own);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
    const { http, metrics } = readConfig(environmentOf('ringline'));
    expect(services['ringline']?.ports).toEqual([http.port, metrics.port].map((port) => `127.0.0.1:${port}:${port}`));
  });

  it('waits longer for the end of Ringline than that may take', () => {
    const longest = Number(
      /LONGEST_STOP_MS = ([\d_]+)/.exec(readFileSync('src/main.ts', 'utf8'))?.[1]?.replace('_', ''),
    );
    expect(Number.parseInt(services['ringline']?.stop_grace_period ?? '', 10) * 1000).toBeGreaterThan(longest);
  });

  it('declares the volumes that it uses', () => {
    const used = Object.values(services).flatMap(({ volumes = [] }) =>
      volumes.map((volume) => volume.split(':', 1)[0] ?? ''),
    );
    expect(new Set(used)).toEqual(new Set(Object.keys(compose.volumes)));
  });
});

describe('the image of Ringline', () => {
  const stage = finalStage('Dockerfile');
  const all = instructions('Dockerfile');

  it('is on Node 24, slim, in two stages, and runs as an ordinary user', () => {
    const stages = all.filter(({ word }) => word === 'FROM').map(({ rest }) => rest);
    expect(stages).toEqual(['node:24-slim AS build', 'node:24-slim']);
    expect(stage.findLast(({ word }) => word === 'USER')?.rest).toBe('node');
  });

  it('holds what was built, and of the packages only those of production', () => {
    const run = all.filter(({ word }) => word === 'RUN').map(({ rest }) => rest);
    expect(run).toContain('npm ci');
    expect(run).toContain('npm run build && npm prune --omit=dev');
    const copied = stage.filter(({ word }) => word === 'COPY').map(({ rest }) => rest);
    expect(copied.flatMap((rest) => /^--from=build \/build\/(\S+)/.exec(rest)?.[1] ?? [])).toEqual([
      'package.json',
      'node_modules',
      'dist',
    ]);
  });

  it('starts the file that npm start does, and checks that it is alive', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    const command = JSON.parse(stage.findLast(({ word }) => word === 'CMD')?.rest ?? '[]') as string[];
    expect(command.at(-1)).toBe(scripts['start']?.split(' ').at(-1));
    expect(stage.find(({ word }) => word === 'HEALTHCHECK')?.rest).toContain('/health/live');
  });

  it('sets settings that exist, and opens the ports they name', () => {
    const env = dockerEnv();
    expect(Object.keys(env).filter((name) => !settings.includes(name))).toEqual([]);
    const config = readConfig({ ...env, DATABASE_URL: 'postgresql://db/ringline', SECRET_KEY: given.SECRET_KEY });
    const open = stage
      .find(({ word }) => word === 'EXPOSE')
      ?.rest.split(' ')
      .map(Number);
    expect(open).toEqual([config.http.port, config.metrics.port]);
    expect(stage.find(({ word }) => word === 'VOLUME')?.rest).toBe(config.dataDir);
  });

  it('is built from files that the builder is sent', () => {
    const sent = readFileSync('.dockerignore', 'utf8')
      .split('\n')
      .flatMap((line) => /^!(.+)$/.exec(line)?.[1] ?? []);
    const wanted = [...all, ...instructions('asterisk/docker/Dockerfile')]
      .filter(({ word, rest }) => word === 'COPY' && !rest.startsWith('--from'))
      .flatMap(({ rest }) =>
        rest
          .replace(/--\S+ /, '')
          .split(' ')
          .slice(0, -1),
      );
    expect(wanted.length).toBeGreaterThan(7);
    for (const path of wanted) expect(sent).toContain(path.split('/')[0]);
  });
});

describe('the image of Asterisk', () => {
  it('takes the packages that the lab takes', () => {
    const lab = readFileSync('lab/debian-sid.ts', 'utf8');
    const install = instructions('asterisk/docker/Dockerfile').find(({ word }) => word === 'RUN')?.rest ?? '';
    const packages =
      /apt-get install (?:--\S+ )+([^&]+)/.exec(install.replace(/\s+/g, ' '))?.[1]?.trim().split(' ') ?? [];
    expect(packages).toContain('asterisk');
    for (const name of packages) expect(lab).toContain(`'${name}'`);
    expect(finalStage('asterisk/docker/Dockerfile')[0]?.rest).toBe('debian:sid');
    expect(finalStage('asterisk/docker/Dockerfile').findLast(({ word }) => word === 'USER')?.rest).toBe('asterisk');
  });

  it('fills every placeholder of the shared configuration in', () => {
    const script = readFileSync('asterisk/docker/start.sh', 'utf8');
    const files = ['asterisk/lab', 'asterisk/ringline'].flatMap((folder) =>
      readdirSync(folder).map((name) => `${folder}/${name}`),
    );
    const wanted = files.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/@([A-Z][A-Z0-9_]*)@/g)]);
    const filled = [...script.matchAll(/^fill (\w+) /gm)].map(([, name]) => name);
    expect(new Set(wanted.map(([, name]) => name))).toEqual(new Set(filled));
  });
});
