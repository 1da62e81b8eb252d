import { readFile, rename, writeFile } from 'node:fs/promises';
import { pause } from '../../common/pause.js';
import { FollowedFile, type FilePosition } from './followed-file.js';
import { sendUntilTaken } from './send-lines.js';

const LOOK_EVERY_MS = 500;

export type ShipCelOptions = {
  /** The log that Asterisk writes. */
  readonly file: string;
  /** Where Ringline is reached. */
  readonly url: string;
  readonly nodeId: string;
  /** Holds a key of the scope `cel:write` for this node. Read for each request, so that it may be changed. */
  readonly keyFile: string;
  /** Where it is kept how far the log was sent. */
  readonly stateFile: string;
  /** Told in one line whatever a person should know. */
  readonly report: (line: string) => void;
  readonly signal: AbortSignal;
};

/**
 * Sends the lines of a log to a Ringline on another host, each at least once and in order, until it is aborted. Holds one
 * piece in memory; the place to go on is written down when a piece was answered.
 */
export async function shipCel(options: ShipCelOptions): Promise<void> {
  const { file: path, url, nodeId, keyFile, stateFile, report, signal } = options;
  const key = async (): Promise<string> => (await readFile(keyFile, 'utf8')).trim();
  const file = new FollowedFile(path, await readState(stateFile, path), () =>
    report(`the place to go on is in no file any more: lines may have been missed; going on at the start of ${path}`),
  );
  let told = '';
  const tell = (line: string): void => {
    if (line !== told) report(line);
    told = line;
  };
  while (!signal.aborted) {
    const piece = await file.read().catch((error: unknown) => {
      tell(`${path} cannot be read: ${(error as Error).message}`);
      return null;
    });
    if (piece === null) {
      await pause(LOOK_EVERY_MS, signal);
      continue;
    }
    if (!(await sendUntilTaken(piece.lines, { url, nodeId, key, signal }, tell))) break;
    await writeState(stateFile, path, piece.position).catch((error: unknown) =>
      tell(`${stateFile} cannot be written, so that after a restart lines are sent again: ${(error as Error).message}`),
    );
  }
  await file.close();
}

type State = { readonly file: string; readonly position: FilePosition };

/** Null where none was written yet, or for another file. @throws {Error} when what is there is no state */
async function readState(stateFile: string, file: string): Promise<FilePosition | null> {
  const text = await readFile(stateFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  const state = JSON.parse(text) as State;
  return state.file === file ? state.position : null;
}

/** Written aside and renamed: a crash leaves the old state or the new one. */
async function writeState(stateFile: string, file: string, position: FilePosition): Promise<void> {
  await writeFile(`${stateFile}.new`, `${JSON.stringify({ file, position } satisfies State)}\n`, { mode: 0o600 });
  await rename(`${stateFile}.new`, stateFile);
}
