import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** What git holds, and what is about to be added: without build output and installed packages. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
  .split('\n')
  .filter((name) => name !== '');

function linesWith(pattern: RegExp, names: readonly string[]): string[] {
  return names.flatMap((name) =>
    textOf(name)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${name}:${index + 1}: ${line.trim().slice(0, 120)}`] : [])),
  );
}

function textOf(name: string): string {
  try {
    return readFileSync(name, 'utf8');
  } catch {
    // Deleted in the work tree, still in the index.
    return '';
  }
}

describe('the repository', () => {
  it('names no package registry: where packages come from is the business of who installs them', () => {
    expect(files.length).toBeGreaterThan(100);
    expect(
      linesWith(/registry\.(npmjs\.org|yarnpkg\.com)|"resolved": "https?:|^registry\s*=/, files.filter(notThisTest)),
    ).toEqual([]);
  });

  it('reads the environment in config/ only', () => {
    const product = files.filter((name) => /^(src|migrations)\/.*\.ts$/.test(name) && !name.startsWith('src/config/'));
    expect(
      linesWith(
        /process\s*\.\s*env|process\[|from 'node:process'/,
        product.filter((name) => !name.endsWith('.test.ts')),
      ),
    ).toEqual([]);
  });

  it('speaks the words of ARI in asterisk/ only', () => {
    const others = files.filter(
      (name) => /^src\/.*\.ts$/.test(name) && !name.startsWith('src/asterisk/') && !name.endsWith('.test.ts'),
    );
    expect(
      linesWith(
        /\bstasis(Start|End)?\b|\bChannel(Destroyed|StateChange|HangupRequest)\b/i,
        others.filter((name) => !allowedAriWords.has(name)),
      ),
    ).toEqual([]);
  });

  it('has no switched-off, focused or empty test', () => {
    const tests = files.filter((name) => name.endsWith('.test.ts') && notThisTest(name));
    expect(linesWith(/\b(it|test|describe)\.(only|skip|todo)\b/, tests)).toEqual([]);
  });

  it('keeps the boundaries between folders', () => {
    // Throws, and shows what was found, when a rule is broken.
    execFileSync('npm', ['run', '--silent', 'boundaries'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  });
});

/** Comments that say what the dial plan passes. */
const allowedAriWords = new Set(['src/lines/line.entity.ts']);

function notThisTest(name: string): boolean {
  return name !== 'test/project/source-rules.test.ts';
}
