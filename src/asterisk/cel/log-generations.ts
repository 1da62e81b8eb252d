import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** One file of a log: as it is written now, or as it was renamed or copied. */
export type Generation = { readonly path: string; readonly inode: string; readonly modifiedAt: number };

export function isCompressed(path: string): boolean {
  return /\.(gz|bz2|xz|zst|lz4)$/.test(path);
}

/**
 * The log and its earlier files, which lie beside it and are named the same with something after it.
 * @throws {Error} of the file system when the folder cannot be read
 */
export async function logGenerations(path: string): Promise<readonly Generation[]> {
  const [folder, name] = [dirname(path), basename(path)];
  const names = (await readdir(folder)).filter(
    (other) => other === name || (/^[.-]/.test(other.slice(name.length)) && other.startsWith(name)),
  );
  const found: Generation[] = [];
  for (const other of names) {
    const file = join(folder, other);
    const stats = await stat(file, { bigint: true }).catch(() => null);
    if (stats?.isFile() === true)
      found.push({ path: file, inode: String(stats.ino), modifiedAt: Number(stats.mtimeMs) });
  }
  return found;
}
