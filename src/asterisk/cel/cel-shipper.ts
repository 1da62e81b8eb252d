import { readFile, rename, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { FollowedFile, type FilePosition, type Piece } from './followed-file.js';

const LOOK_EVERY_MS = 500;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;
/** Longer than the service waits for its database. */
const ANSWER_WITHIN_MS = 30_000;

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
  const { file: path, stateFile, report, signal } = options;
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
    if (!(await sendUntilTaken(piece, options, tell))) break;
    await writeState(stateFile, path, piece.position).catch((error: unknown) =>
      tell(`${stateFile} cannot be written, so that after a restart lines are sent again: ${(error as Error).message}`),
    );
  }
  await file.close();
}

/** Sends one piece again and again, with longer and longer waits. False when it was given up because we stop. */
async function sendUntilTaken(
  { lines }: Piece,
  { url, nodeId, keyFile, signal }: ShipCelOptions,
  tell: (line: string) => void,
): Promise<boolean> {
  for (let delay = FIRST_RETRY_MS; !signal.aborted; delay = Math.min(delay * 2, LONGEST_RETRY_MS)) {
    let waitMs = delay * (0.75 + Math.random() / 2);
    try {
      const answer = await fetch(`${url.replace(/\/+$/, '')}/v1/pbx-nodes/${encodeURIComponent(nodeId)}/cel`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${(await readFile(keyFile, 'utf8')).trim()}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ lines }),
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
      });
      const text = await answer.text();
      if (answer.ok) {
        tell(`lines are taken by ${url}`);
        return true;
      }
      tell(`lines are not taken (${answer.status}), trying on: ${detailOf(text)}`);
      waitMs = Math.max(waitMs, Math.min(Number(answer.headers.get('retry-after') ?? 0) * 1000, LONGEST_RETRY_MS));
    } catch (error) {
      const { message, cause } = error as Error;
      if (!signal.aborted)
        tell(`lines cannot be sent, trying on: ${message}${cause instanceof Error ? ` (${cause.message})` : ''}`);
    }
    await pause(waitMs, signal);
  }
  return false;
}

function detailOf(body: string): string {
  try {
    const { detail, remedy } = JSON.parse(body) as { detail?: unknown; remedy?: unknown };
    return `${String(detail)} ${String(remedy)}`;
  } catch {
    return body.slice(0, 200);
  }
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

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
