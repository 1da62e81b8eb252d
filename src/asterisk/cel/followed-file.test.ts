import { appendFile, copyFile, mkdtemp, rename, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FollowedFile, type FilePosition } from './followed-file.js';

let folder: string;
let log: string;
let gaps: number;
let clock: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ringline-followed-'));
  log = join(folder, 'cel.csv');
  gaps = 0;
  // Long ago: no file is waited for because it might still get a line.
  clock = Date.now() - 3_600_000;
});
afterEach(async () => {
  for (const file of followed.splice(0)) await file.close();
  await rm(folder, { recursive: true, force: true });
});

const followed: FollowedFile[] = [];

function follow(position: FilePosition | null = null): FollowedFile {
  const file = new FollowedFile(log, position, () => gaps++);
  followed.push(file);
  return file;
}

/** All there is now, and the place after it. */
async function readAll(file: FollowedFile): Promise<{ lines: string[]; position: FilePosition | null }> {
  const lines: string[] = [];
  let position: FilePosition | null = null;
  for (let piece = await file.read(); piece !== null; piece = await file.read()) {
    expect(piece.lines.length).toBeLessThanOrEqual(1_001);
    lines.push(...piece.lines);
    ({ position } = piece);
  }
  return { lines, position };
}

async function write(text: string, path = log): Promise<void> {
  await appendFile(path, text);
  await utimes(path, new Date(clock), new Date((clock += 10)));
}

async function renamed(to: string): Promise<void> {
  await rename(log, join(folder, to));
  await write('');
}

/** As logrotate does with `copytruncate`. */
async function copiedAndCut(to: string): Promise<void> {
  await copyFile(log, join(folder, to));
  await utimes(join(folder, to), new Date(clock), new Date((clock += 10)));
  await truncate(log);
  await write('');
}

describe('a followed file', () => {
  it('is read line by line, and half a line waits for its end', async () => {
    const file = follow();
    await write('one\ntwo\nthr');
    expect((await readAll(file)).lines).toEqual(['one', 'two']);
    expect((await readAll(file)).lines).toEqual([]);
    await write('ee\n\nfive\n');
    expect((await readAll(file)).lines).toEqual(['three', '', 'five']);
  });

  it('is read in pieces, however much has piled up', async () => {
    const lines = Array.from({ length: 25_000 }, (_, i) => `line ${i} ${'x'.repeat(i % 90)}`);
    await write(`${lines.join('\n')}\n`);
    const file = follow();
    const first = await file.read();
    expect(first?.lines.length).toBeLessThanOrEqual(1_000);
    expect([...(first?.lines ?? []), ...(await readAll(file)).lines]).toEqual(lines);
  });

  it('is passed over where it has no line ends, or bytes that are no text', async () => {
    await write(`${'x'.repeat(300_000)}\n\0\0half\nlast\n`);
    const { lines } = await readAll(follow());
    expect(lines.slice(-2)).toEqual(['\ufffd\ufffdhalf', 'last']);
    expect(new Set(lines.slice(0, -2))).toEqual(new Set(['(too long)']));
  });

  it('may come later, and is an error until then', async () => {
    const file = follow();
    await expect(file.read()).rejects.toMatchObject({ code: 'ENOENT' });
    await write('one\n');
    expect((await file.read())?.lines).toEqual(['one']);
  });

  it('is not a folder', async () => {
    log = folder;
    await expect(follow().read()).rejects.toMatchObject({ code: 'ENOTFILE' });
  });

  it('is gone on with where it was left, also by another reader', async () => {
    await write('one\n');
    const { position } = await readAll(follow());
    await write('two\n');
    expect((await readAll(follow(position))).lines).toEqual(['two']);
  });

  it('is followed when it is renamed, and what was not read before is', async () => {
    const file = follow();
    await write('one\n');
    await readAll(file);
    await write('two\n');
    await renamed('cel.csv.1');
    await write('late\n', join(folder, 'cel.csv.1'));
    await write('three\n');
    expect((await readAll(file)).lines).toEqual(['two', 'late', 'three']);
  });

  it('is not left while it may still get a line', async () => {
    const file = follow();
    await appendFile(log, 'one\n');
    await readAll(file);
    await rename(log, join(folder, 'cel.csv.1'));
    await writeFile(log, 'three\n');
    expect((await readAll(file)).lines).toEqual([]);
    await appendFile(join(folder, 'cel.csv.1'), 'two\n');
    expect((await readAll(file)).lines).toEqual(['two']);
    await utimes(join(folder, 'cel.csv.1'), new Date(clock), new Date(clock));
    expect((await readAll(file)).lines).toEqual(['three']);
  });

  it('is found again after it was renamed several times while nobody read', async () => {
    await write('one\n');
    const { position } = await readAll(follow());
    await write('two\n');
    await renamed('cel.csv.2');
    await write('three\n');
    await renamed('cel.csv.1');
    await write('four\n');
    expect((await readAll(follow(position))).lines).toEqual(['two', 'three', 'four']);
    expect(gaps).toBe(0);
  });

  it('is read in its copy when it was copied and cut, also when it has grown again since', async () => {
    const file = follow();
    await write('one\n');
    await readAll(file);
    await write('two\n');
    await copiedAndCut('cel.csv.1');
    await write('three is longer than what was there before\n');
    expect((await readAll(file)).lines).toEqual(['two', 'three is longer than what was there before']);
    expect(gaps).toBe(0);
  });

  it('is read in its copy also when it was begun anew and nothing of it was read before', async () => {
    const file = follow();
    await write('one\n');
    await readAll(file);
    await renamed('cel.csv.1');
    await readAll(file);
    await write('two\n');
    await copiedAndCut('cel.csv-2');
    await write('three\n');
    expect((await readAll(file)).lines).toEqual(['two', 'three']);
  });

  it('tells of a gap when the place is nowhere, and is read from its beginning', async () => {
    await write('one\n');
    const { position } = await readAll(follow());
    await rm(log);
    await write('other\n');
    expect((await readAll(follow(position))).lines).toEqual(['other']);
    expect(gaps).toBe(1);
  });

  it('takes no compressed file for one of its own, nor one with another name', async () => {
    await write('one\n');
    const { position } = await readAll(follow());
    await renamed('cel.csv.1');
    for (const name of ['cel.csv.2.gz', 'cel.csvother', 'other.csv']) await write('nothing\n', join(folder, name));
    await write('two\n');
    expect((await readAll(follow(position))).lines).toEqual(['two']);
  });

  it('loses no line, whatever is done with it and whenever somebody reads', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constant('write' as const) },
      { weight: 3, arbitrary: fc.constant('read one piece' as const) },
      fc.constantFrom('write in halves', 'rename', 'copy and cut', 'read all', 'start again'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        await rm(folder, { recursive: true });
        folder = await mkdtemp(join(tmpdir(), 'ringline-followed-'));
        log = join(folder, 'cel.csv');
        const written: string[] = [];
        const seen: string[] = [];
        let kept: FilePosition | null = null;
        let file = follow();
        let generation = 0;
        const writeLine = async (inHalves = false): Promise<void> => {
          const line = `line ${written.length} of this file`;
          written.push(line);
          if (inHalves) {
            await write(line.slice(0, 6));
            await read();
          }
          await write(`${inHalves ? line.slice(6) : line}\n`);
        };
        const read = async (): Promise<boolean> => {
          const piece = await file.read();
          seen.push(...(piece?.lines ?? []));
          kept = piece?.position ?? kept;
          return piece !== null;
        };
        // The first line is read: without any place to go on, earlier files are nobody's business.
        await writeLine();
        await read();
        for (const what of steps) {
          if (what === 'write') await writeLine();
          if (what === 'write in halves') await writeLine(true);
          if (what === 'rename') await renamed(`cel.csv.${++generation}`);
          if (what === 'copy and cut') await copiedAndCut(`cel.csv-${++generation}`);
          if (what === 'read one piece') await read();
          if (what === 'read all') while (await read());
          if (what === 'start again') {
            await file.close();
            file = follow(kept);
          }
        }
        await writeLine();
        while (await read());
        await file.close();
        expect([...new Set(seen)]).toEqual(written);
      }),
      { numRuns: 300 },
    );
    expect(gaps).toBe(0);
  });
});
