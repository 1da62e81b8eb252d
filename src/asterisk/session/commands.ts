import type { Readable } from 'node:stream';
import { Pool } from 'undici';
import { HttpPool, type HttpEnd } from './http-pool.js';

/** A request may take this long, ms; after that its outcome is unknown. */
export const REQUEST_DEADLINE_MS = 3_000;
/** Requests side by side to one node. Asterisk answers in 1-3 ms, so this carries thousands a second. */
const CONNECTIONS = 16;
/** A connection with nothing to do is used again this long, ms: Asterisk closes it after 15 s (`session_keep_alive`). */
const IDLE_MS = 10_000;
/** Files side by side from one node. */
const DOWNLOADS = 4;

/** So many answers tell how long answers take: more than those that wait together behind one that was lost. */
const ANSWERS_KEPT = 32;
/** What answers took says nothing about the present after this long, ms. */
const DELAY_HOLDS_MS = 1_000;

const LATE = `no answer within ${REQUEST_DEADLINE_MS / 1000} s`;

export type AriAnswer =
  | { readonly kind: 'answered'; readonly status: number; readonly body: unknown }
  /** Nothing was sent: the node could not be reached. */
  | { readonly kind: 'not-sent'; readonly text: string }
  /** It was sent, or may have been; no answer came. */
  | { readonly kind: 'unknown'; readonly text: string };

export type AriDownload =
  /** Its content has to be read to the end, or destroyed. */
  | { readonly kind: 'opened'; readonly bytes: number | null; readonly content: Readable }
  | { readonly kind: 'answered'; readonly status: number }
  | { readonly kind: 'failed'; readonly text: string };

export type AriNodeAddress = { readonly ariUrl: string; readonly username: string; readonly password: string };

/** Requests to one Asterisk: with their status, bounded in time, never repeated here. */
export class AriCommands {
  readonly #requests: HttpPool;
  readonly #downloads: Pool;
  readonly #prefix: string;
  readonly #authorization: string;
  readonly #headers: string;
  readonly #jsonHeaders: string;
  /** What the last answers took, ms. */
  readonly #took: number[] = [];
  #answeredAt = -Infinity;

  constructor({ ariUrl, username, password }: AriNodeAddress) {
    const url = new URL(ariUrl);
    this.#prefix = url.pathname.replace(/\/+$/, '');
    this.#requests = new HttpPool(url, { connections: CONNECTIONS, idleMs: IDLE_MS });
    this.#downloads = new Pool(url.origin, {
      connections: DOWNLOADS,
      connectTimeout: REQUEST_DEADLINE_MS,
      headersTimeout: REQUEST_DEADLINE_MS,
      bodyTimeout: REQUEST_DEADLINE_MS,
      keepAliveTimeout: IDLE_MS,
    });
    this.#authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    this.#headers = `authorization: ${this.#authorization}\r\n`;
    this.#jsonHeaders = `${this.#headers}content-type: application/json\r\n`;
  }

  /**
   * How long requests take from here to their answer of late, the median, ms: their wait for a connection, Asterisk's work and our own
   * delay in hearing of it; lost ones do not count. Over what a healthy node needs (1-30 ms) it is the backlog of whichever is short.
   */
  get delayMs(): number {
    const isOld = performance.now() - this.#answeredAt > DELAY_HOLDS_MS;
    return isOld || this.#took.length < ANSWERS_KEPT
      ? 0
      : (this.#took.toSorted((a, b) => a - b)[ANSWERS_KEPT / 2] ?? 0);
  }

  /** @param path Below `/ari`, with its query; ids in it must be encoded. Settles by its deadline, and never rejects. */
  send(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<AriAnswer> {
    if (this.#requests.isClosed)
      return Promise.resolve({ kind: 'not-sent', text: 'the session to the PBX node was closed' });
    const json = body === undefined ? null : JSON.stringify(body);
    const headers = json === null ? this.#headers : this.#jsonHeaders;
    const begunAt = performance.now();
    return new Promise((resolve) => {
      const about = (what: string): string => `${method} ${path.split('?', 1)[0]}: ${what}`;
      // One that waited for a connection until now may be called unknown too: nobody repeats what comes so late.
      const onDeadline = (): void => {
        resolve({ kind: 'unknown', text: about(LATE) });
        giveUp(LATE);
      };
      const timer = setTimeout(onDeadline, REQUEST_DEADLINE_MS);
      const giveUp = this.#requests.send(method, this.#prefix + path, headers, json, (end) => {
        clearTimeout(timer);
        // An answer that is lost tells of no queue.
        if (end.kind === 'answered') this.#onAnswer(performance.now() - begunAt);
        resolve(toAnswer(end, about));
      });
    });
  }

  /**
   * Opens a file. It is read as it comes, as slowly as the reader likes; a sender that is silent for 3 s is given up, and the
   * content ends with an error.
   * @param signal Ends it at any time.
   */
  async download(path: string, signal: AbortSignal): Promise<AriDownload> {
    if (this.#requests.isClosed) return { kind: 'failed', text: 'the session to the PBX node was closed' };
    try {
      const { statusCode, headers, body } = await this.#downloads.request({
        method: 'GET',
        path: this.#prefix + path,
        headers: { authorization: this.#authorization },
        signal,
      });
      // It may break before anybody reads it, and would end the process then. Whoever reads it later still learns of it.
      body.on('error', () => undefined);
      if (statusCode === 200) {
        const length = headers['content-length'];
        return { kind: 'opened', bytes: typeof length === 'string' ? Number(length) : null, content: body };
      }
      await body.dump({ limit: 65_536 });
      return { kind: 'answered', status: statusCode };
    } catch (error) {
      const { code, message } = error as Error & { code?: string };
      return { kind: 'failed', text: code ?? message };
    }
  }

  #onAnswer(tookMs: number): void {
    this.#took.push(tookMs);
    if (this.#took.length > ANSWERS_KEPT) this.#took.shift();
    this.#answeredAt = performance.now();
  }

  async close(): Promise<void> {
    this.#requests.close();
    await this.#downloads.destroy().catch(() => undefined);
  }
}

function toAnswer(end: HttpEnd, about: (what: string) => string): AriAnswer {
  if (end.kind === 'answered') return { kind: 'answered', status: end.status, body: parseBody(end.text) };
  return { kind: end.wasSent ? 'unknown' : 'not-sent', text: about(end.why) };
}

function parseBody(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return text.slice(0, 200);
  }
}
