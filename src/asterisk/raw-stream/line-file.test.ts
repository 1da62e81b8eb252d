import { mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../../lab/wait-for.js';
import { LineFile, type LineFileLimits } from './line-file.js';

let root: string;
let folder: string;
let lost: { readonly lines: number; readonly reason: string }[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ringline-lines-'));
  folder = join(root, 'streams');
  lost = [];
});
afterEach(() => rm(root, { recursive: true, force: true }));

const generous: LineFileLimits = { fileBytes: 1e6, files: 8, waitingBytes: 1e6 };

function lineFile(limits: Partial<LineFileLimits> = {}): LineFile {
  return new LineFile(folder, 'node', { ...generous, ...limits }, (lines, reason) => lost.push({ lines, reason }));
}

async function textOf(file: string): Promise<string> {
  return readFile(join(folder, file), 'utf8');
}

describe('a file of lines', () => {
  it('holds them in order, for its owner alone', async () => {
    const file = lineFile();
    for (let i = 0; i < 1_000; i++) expect(file.write(`line ${i}`)).toBe(true);
    await file.close(5_000);
    const [name = ''] = await readdir(folder);
    expect((await textOf(name)).split('\n')).toEqual([...Array.from({ length: 1_000 }, (_, i) => `line ${i}`), '']);
    expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(lost).toEqual([]);
  });

  it('is followed by another when it is long, and only the newest are kept', async () => {
    const file = lineFile({ fileBytes: 5, files: 3 });
    for (let i = 0; i < 6; i++) {
      file.write(`number ${i}`);
      const written = async () => {
        const [newest = ''] = (await readdir(folder)).toSorted().toReversed();
        return (await textOf(newest)) === `number ${i}\n`;
      };
      await waitFor(() => written().catch(() => false), { what: `line ${i}` });
    }
    await file.close(5_000);
    const names = (await readdir(folder)).toSorted();
    expect(await Promise.all(names.map(textOf))).toEqual(['number 3\n', 'number 4\n', 'number 5\n']);
  });

  it('refuses what comes faster than the disk, and takes more once that has followed', async () => {
    const file = lineFile({ waitingBytes: 100 });
    const taken = Array.from({ length: 20 }, () => file.write('0123456789'));
    expect(taken.filter(Boolean)).toHaveLength(10);
    await waitFor(() => file.write('later'), { what: 'room' });
    await file.close(5_000);
    const [name = ''] = await readdir(folder);
    expect(await textOf(name)).toBe(`${'0123456789\n'.repeat(10)}later\n`);
  });

  it('tells how many lines a failing disk cost, and goes on when it works again', async () => {
    const file = lineFile();
    await writeFile(folder, 'a file where the folder should be');
    for (const line of ['one', 'two']) file.write(line);
    await waitFor(() => lost.length > 0, { what: 'the loss' });
    expect(lost).toEqual([{ lines: 2, reason: expect.stringContaining('EEXIST') }]);
    await rename(folder, `${folder}-away`);
    file.write('three');
    await file.close(5_000);
    const [name = ''] = await readdir(folder);
    expect(await textOf(name)).toBe('three\n');
  });
});
