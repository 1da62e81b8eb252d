import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const guide = readFileSync('docs/writing-a-crm-adapter.md', 'utf8');
const blocks = [...guide.matchAll(/^```(\w+) (.+)\n([^]*?)^```$/gm)].map(([, , mark = '', text = '']) => ({
  mark,
  text,
}));
const files = marked('file=');
const additions = marked('in=');
const commands = blocks.filter(({ mark }) => mark === 'run').flatMap(({ text }) => text.trim().split('\n'));

const LINES = 100;
const MOST_MS = 300_000;

function marked(start: string): readonly { readonly file: string; readonly text: string }[] {
  return blocks
    .filter(({ mark }) => mark.startsWith(start))
    .map(({ mark, text }) => ({ file: mark.slice(start.length), text }));
}

/** As a person adds them: imports to the imports, all else to the list. */
function withAdded(source: string, added: string): string {
  const lines = added.trimEnd().split('\n');
  const imports = lines.filter((line) => line.startsWith('import '));
  const listed = lines.filter((line) => !line.startsWith('import '));
  const list = /^export const \w+: readonly \w+\[\] = \[$/m;
  if (!list.test(source)) throw new Error('there is no list to add to');
  return `${imports.join('\n')}\n${source.replace(list, (line) => `${line}\n${listed.join('\n')}`)}`;
}

describe('the guide to write an adapter', () => {
  let copy = '';

  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'ringline-guide-'));
    const parts = ['src', 'lab', 'test/contract/crm-adapters', 'package.json', 'vitest.config.ts'];
    for (const part of parts) cpSync(part, join(copy, part), { recursive: true });
    // What the adapter reaches is compiled, not the rest of Ringline with it.
    const config = JSON.parse(readFileSync('tsconfig.json', 'utf8')) as object;
    const include = [...files.map(({ file }) => file), ...additions.map(({ file }) => file)];
    writeFileSync(join(copy, 'tsconfig.json'), JSON.stringify({ ...config, include }));
    symlinkSync(resolve('node_modules'), join(copy, 'node_modules'));
    for (const { file, text } of files) {
      mkdirSync(dirname(join(copy, file)), { recursive: true });
      writeFileSync(join(copy, file), text);
    }
    for (const { file, text } of additions) {
      writeFileSync(join(copy, file), withAdded(readFileSync(join(copy, file), 'utf8'), text));
    }
  });
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  it('adds a CRM in less than 100 lines of adapter', () => {
    const [adapter] = files.filter(({ file }) => file.endsWith('.adapter.ts'));
    const lines = adapter?.text.split('\n').filter((line) => line.trim() !== '').length ?? 0;
    expect(lines).toBeGreaterThan(50);
    expect(lines).toBeLessThan(LINES);
  });

  it.each(commands)('leads to an adapter of which this is true: %s', { timeout: MOST_MS }, (command) => {
    const [program = '', ...given] = command.split(' ');
    const environment = { ...process.env, NO_COLOR: '1' };
    const said = execFileSync(program, given, { cwd: copy, encoding: 'utf8', timeout: MOST_MS, env: environment });
    if (!command.includes('vitest')) return;
    const [, passed = '0'] = /Tests +(\d+) passed/.exec(said) ?? [];
    expect(Number(passed)).toBeGreaterThanOrEqual(40);
  });

  it('names two commands: whether it compiles, and whether it holds', () => {
    expect(commands).toHaveLength(2);
  });
});
