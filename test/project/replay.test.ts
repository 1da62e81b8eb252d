import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from '../../lab/run-program.js';

const stream = 'test/fixtures/ari/incoming-an-agent-answers-and-the-caller-hangs-up.jsonl';
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ringline-replay-'));
});
afterAll(() => rm(folder, { recursive: true }));

function run(script: 'replay' | 'scrub', ...args: string[]) {
  return runProgram(process.execPath, [`scripts/${script}.mjs`, ...args]);
}

describe('npm run replay', () => {
  it('tells the calls of a stream, and compares them with what it printed before', async () => {
    expect(await run('replay', stream)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('answered (talked)'),
    });
    const saved = join(folder, 'saved.json');
    const { stdout } = await run('replay', stream, '--json');
    await writeFile(saved, stdout);
    expect(await run('replay', stream, '--against', saved)).toMatchObject({ code: 0, stdout: 'no differences\n' });
    expect(await run('replay', stream, '--against', stream)).toMatchObject({ code: 0 });
    await writeFile(saved, stdout.replaceAll('"talkSeconds":2', '"talkSeconds":3'));
    const differing = await run('replay', stream, '--against', saved);
    expect(differing).toMatchObject({ code: 1, stdout: expect.stringContaining('record.talkSeconds: 2 | 3') });
  });

  it('says what is wrong with its arguments', async () => {
    expect(await run('replay')).toMatchObject({ code: 1, stderr: expect.stringContaining('npm run replay -- FILE') });
    expect((await run('replay', 'package.json')).stderr).toMatch(/^package\.json holds no recorded stream/);
    expect((await run('replay', stream, '--against', 'README.md')).stderr).toMatch(/^README\.md is neither/);
  });
});

describe('npm run scrub', () => {
  it('writes a stream that folds alike and is the same for the same seed', async () => {
    const [first, again, other] = await Promise.all(
      ['one', 'one', 'two'].map((seed) => run('scrub', stream, '--seed', seed)),
    );
    expect(first?.stdout).toBe(again?.stdout);
    expect(first?.stdout).not.toBe(other?.stdout);
    const file = join(folder, 'scrubbed.jsonl');
    await writeFile(file, first?.stdout ?? '');
    expect((await run('replay', file)).stdout).toContain('answered (talked)');
    expect(await readFile(file, 'utf8')).not.toContain((await run('replay', stream)).stdout.slice(5, 41));
  });
});
