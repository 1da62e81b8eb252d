import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { settingsSchema } from '../../src/config/config.js';

/** Documents that people read; those generated from the source are compared with it by another test. */
const documents = [
  'README.md',
  'asterisk/README.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
].sort();

/** Whose marked blocks a test runs, and which. */
const documentsThatAreRun: Readonly<Record<string, string>> = {
  'README.md': 'test/lab/guide.test.ts',
  'docs/join-your-asterisk.md': 'test/lab/guide.test.ts',
  'docs/writing-a-crm-adapter.md': 'test/contract/crm-adapters/guide.test.ts',
};

function textOf(file: string): string {
  return readFileSync(file, 'utf8');
}

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => textOf(join(folder, name)));
}

describe('the documents', () => {
  it('mark every block of commands as run by a test or by hand', () => {
    const blocks = documents.flatMap((file) =>
      [...textOf(file).matchAll(/^```(sh|bash|shell|console)\b *(.*)$/gm)].map(([, , mark]) => ({ file, mark })),
    );
    expect(blocks.length).toBeGreaterThan(5);
    expect(blocks.filter(({ mark }) => mark !== 'run' && mark !== 'by-hand')).toEqual([]);
    expect([...new Set(blocks.filter(({ mark }) => mark === 'run').map(({ file }) => file))]).toEqual(
      Object.keys(documentsThatAreRun),
    );
    for (const [file, test] of Object.entries(documentsThatAreRun)) expect(textOf(test)).toContain(`'${file}'`);
  });

  it('link to files that are there', () => {
    const links = documents.flatMap((file) =>
      [...textOf(file).matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)]
        .map(([, target = '']) => ({ file, target }))
        .filter(({ target }) => !/^[a-z]+:/.test(target)),
    );
    expect(links.length).toBeGreaterThan(15);
    const broken = links.filter(
      ({ file, target }) =>
        !existsSync(target.startsWith('/') ? target.slice(1) : join(dirname(file), target)) &&
        // Served by Ringline, not held by the repository.
        target !== '/docs',
    );
    expect(broken).toEqual([]);
  });

  it('name scripts that package.json has', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
    const named = documents.flatMap((file) =>
      [...textOf(file).matchAll(/\bnpm run ([a-z]+(?:[:-][a-z]+)*)/g)].map(([, script = '']) => script),
    );
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((script) => !(script in scripts))).toEqual([]);
  });

  it('name settings that exist, and variables of the lab', () => {
    const espocrm = ['ESPOCRM_URL', 'ESPOCRM_API_KEY', 'ESPOCRM_USER_IDS'];
    const odoo = ['ODOO_URL', 'ODOO_DATABASE', 'ODOO_LOGIN', 'ODOO_API_KEY', 'ODOO_USER_IDS'];
    const ofOthers = ['LAB_DEBIAN_MIRROR', 'LAB_KEEP', 'LAB_RECORD_OBSERVED', 'RECORD_FIXTURES', ...espocrm, ...odoo];
    const compose = [...textOf('docker-compose.yml').matchAll(/\$\{(\w+):/g)].map(([, name = '']) => name);
    const known = new Set([...Object.keys(settingsSchema.shape), ...ofOthers, ...compose]);
    const named = ['README.md', 'docs/operations.md', 'docs/testing.md', 'docs/events.md', 'docs/stream.md'].flatMap(
      (file) =>
        [...textOf(file).matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=[^`]*)?`/g)].map(([, name = '']) => name),
    );
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('tell every metric of the product, and no other', () => {
    const names = (text: string): string[] => [...text.matchAll(/\bringline_[a-z_]+\b/g)].map(([name]) => name);
    const defined = new Set(
      sources('src').flatMap((text) => [...text.matchAll(/name: '(ringline_[a-z_]+)'/g)].map(([, name = '']) => name)),
    );
    const told = textOf('docs/operations.md')
      .split('\n')
      .filter((line) => line.startsWith('| `ringline_'))
      .flatMap((line) => names(line)[0] ?? []);
    expect(told.toSorted()).toEqual([...defined].sort());
    for (const file of documents) expect(names(textOf(file)).filter((name) => !defined.has(name))).toEqual([]);
  });

  it('tell every fault that the health of a node names', () => {
    const defined = sources('src/asterisk').flatMap((text) =>
      [...text.matchAll(/(?:new NodeRefused\(|code:|#fail\()\s*'([a-z-]+)'/g)].map(([, code = '']) => code),
    );
    const guide = textOf('docs/join-your-asterisk.md');
    expect(defined.length).toBeGreaterThan(5);
    expect(defined.filter((code) => !guide.includes(`\`${code}\``))).toEqual([]);
  });
});

describe('docs/architecture.md', () => {
  const text = textOf('docs/architecture.md');

  it('names files that are there', () => {
    const folders = readdirSync('src', { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    const files = [...text.matchAll(/\b([a-z-]+(?:\/[a-z-]+)+\.(?:[a-z]+\.)*(?:ts|conf))\b/g)].map(([, f = '']) => f);
    expect(files.length).toBeGreaterThan(15);
    expect(
      files.filter(
        (file) =>
          !existsSync(
            folders.includes(file.split('/')[0] ?? '') && !file.startsWith('asterisk/ringline') ? `src/${file}` : file,
          ),
      ),
    ).toEqual([]);
  });

  it('lists every folder of src/', () => {
    const folders = readdirSync('src', { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.filter(({ name }) => !text.includes(`\`src/${name}/`)).map(({ name }) => name)).toEqual([]);
  });
});
