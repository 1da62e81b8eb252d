import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readFileIfThere, readOrCreateFile } from './private-file.js';
import { readOrCreateSecretKey } from './secret-key.js';

describe('private files', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ringline-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('are readable by their owner alone, and so is a folder made for them', () => {
    const path = join(folder, 'data', 'key');
    expect(readFileIfThere(path)).toBeUndefined();
    expect(readOrCreateFile(path, () => 'one')).toBe('one');
    expect(readOrCreateFile(path, () => 'two')).toBe('one');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'data')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(folder, 'data'))).toEqual(['key']);
  });

  it('keep what another process wrote first', () => {
    const path = join(folder, 'key');
    expect(readOrCreateFile(path, () => (readOrCreateFile(path, () => 'theirs'), 'ours'))).toBe('theirs');
  });

  it('hold a key, or the start is refused', () => {
    expect(readOrCreateSecretKey(folder)).toMatch(/^[0-9a-f]{64}$/);
    expect(readOrCreateSecretKey(folder)).toBe(readFileIfThere(join(folder, 'secret-key')));
    const other = join(folder, 'other');
    readOrCreateFile(join(other, 'secret-key'), () => 'not a key');
    expect(() => readOrCreateSecretKey(other)).toThrow('does not hold a key');
  });
});
