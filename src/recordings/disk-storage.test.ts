import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../common/ids.js';
import { DiskStorage } from './disk-storage.js';
import { TransferBroken, paced } from './paced.js';
import type { RecordingPlace, StoredRecording } from './recording-storage.js';

let folder: string;
let storage: DiskStorage;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringline-recordings-'));
  storage = new DiskStorage(join(folder, 'recordings'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const place = (changes: Partial<RecordingPlace> = {}): RecordingPlace => ({
  tenantId: newId(),
  id: newId(),
  plannedAt: new Date('2026-03-31T23:59:59.000Z'),
  ...changes,
});
const files = () =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, 'recordings').length + 1));
const content = (...chunks: string[]) => paced(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), 1e9, 1e6);
async function store(at: RecordingPlace, text = 'sound'): Promise<void> {
  await (await storage.receive(at, content(text))).keep();
}
async function readAll(stored: StoredRecording | null, range?: { first: number; last: number }): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stored!.read(range)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

describe('recordings on disk', () => {
  it('lie under tenant, year and month, and only their owner can read them', async () => {
    const at = place();
    const received = await storage.receive(at, content('so', 'und'));
    expect(received).toMatchObject({ bytes: 5, head: Buffer.from('sound') });
    expect(received.digest).toEqual(createHash('sha256').update('sound').digest());
    // Not under its name before it is kept.
    expect(await storage.open(at)).toBeNull();
    await received.keep();
    expect(files()).toEqual([`${at.tenantId}/2026/03/${at.id}.wav`]);
    expect(statSync(join(folder, 'recordings', files()[0]!)).mode & 0o777).toBe(0o600);
    expect(await readAll(await storage.open(at))).toBe('sound');
    expect(await readAll(await storage.open(at), { first: 1, last: 3 })).toBe('oun');
    await storage.remove(at);
    await storage.remove(at);
    expect(await storage.open(at)).toBeNull();
  });

  it('are the same when they are received again', async () => {
    const at = place();
    await store(at, 'one');
    await store(at, 'two');
    expect(files()).toHaveLength(1);
    expect(await readAll(await storage.open(at))).toBe('two');
  });

  it('leave nothing behind when they break off, are too long, or are discarded', async () => {
    const broken = new Readable({ read: () => undefined });
    broken.push('so');
    broken.on('error', () => undefined);
    setImmediate(() => broken.destroy(new Error('cut')));
    await expect(storage.receive(place(), paced(broken, 1e9, 1e6))).rejects.toThrow(TransferBroken);
    const long = paced(Readable.from([Buffer.alloc(600), Buffer.alloc(600)]), 1e9, 1_000);
    await expect(storage.receive(place(), long)).rejects.toThrow('more than 1000 bytes');
    await (await storage.receive(place(), content('sound'))).discard();
    expect(files()).toEqual([]);
  });

  it.each(['../../etc/passwd', '', 'A'.repeat(36), `${newId()}/..`, `${newId()}\0`])(
    'have no other place than one of ids: %j',
    async (id) => {
      await expect(storage.open(place({ id }))).rejects.toThrow('under its ids');
      await expect(storage.remove(place({ tenantId: id }))).rejects.toThrow('under its ids');
      await expect(storage.receive(place({ id }), content('x'))).rejects.toThrow('under its ids');
    },
  );
});

describe('the sweep', () => {
  const age = (name: string, hours: number): void => {
    const at = new Date(Date.now() - hours * 3_600_000);
    utimesSync(join(folder, 'recordings', name), at, at);
  };
  const anHourAgo = () => new Date(Date.now() - 3_600_000);

  it('removes old files that no row wants and what was left half-way, and nothing else', async () => {
    const [wanted, unwanted, young] = [place(), place(), place()];
    for (const at of [wanted, unwanted, young]) await store(at);
    const left = await storage.receive(place(), content('half'));
    const onItsWay = await storage.receive(place(), content('half'));
    for (const name of files()) if (!name.includes(young.id)) age(name, 2);
    const [kept = '', ...others] = files().filter((name) => name.startsWith('incoming/'));
    expect(others).toHaveLength(1);
    age(kept, 0);
    const asked: string[] = [];
    const removed = await storage.sweep(anHourAgo(), (ids) => {
      asked.push(...ids);
      return Promise.resolve(new Set([wanted.id]));
    });
    expect(removed).toBe(2);
    expect(asked.toSorted()).toEqual([wanted.id, unwanted.id, young.id].toSorted());
    expect(files().toSorted()).toEqual(
      [`${wanted.tenantId}/2026/03/${wanted.id}.wav`, `${young.tenantId}/2026/03/${young.id}.wav`, kept].toSorted(),
    );
    await Promise.all([left.discard(), onItsWay.discard()]);
  });

  it('has nothing to do in a folder that is not there', async () => {
    expect(await storage.sweep(anHourAgo(), () => Promise.reject(new Error('asked')))).toBe(0);
  });
});

describe('a paced reading', () => {
  it('is no faster than told', async () => {
    const startedAt = performance.now();
    let bytes = 0;
    for await (const chunk of paced(Readable.from(Array.from({ length: 10 }, () => Buffer.alloc(1_000))), 50_000, 1e6))
      bytes += chunk.length;
    expect(bytes).toBe(10_000);
    expect(performance.now() - startedAt).toBeGreaterThan(170);
  });

  it('lets its source go when nobody reads on', async () => {
    const source = Readable.from([Buffer.alloc(1), Buffer.alloc(1)]);
    for await (const chunk of paced(source, 1e9, 1e6)) {
      expect(chunk.length).toBe(1);
      break;
    }
    expect(source.destroyed).toBe(true);
  });
});
