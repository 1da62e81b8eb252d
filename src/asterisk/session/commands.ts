import type { Readable } from 'node:stream';
import { Pool, type Dispatcher } from 'undici';

/** A request may take this long, ms; after that its outcome is unknown. */
export const REQUEST_DEADLINE_MS = 3_000;
/** Requests side by side to one node. Asterisk answers in 1-3 ms, so this carries thousands a second. */
const CONNECTIONS = 16;

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
  readonly #pool: Pool;
  readonly #prefix: string;
  readonly #headers: Record<string, string>;
  readonly #jsonHeaders: Record<string, string>;
  /** What the last answers took, ms. */
  readonly #took: number[] = [];
  #answeredAt = -Infinity;

  constructor({ ariUrl, username, password }: AriNodeAddress) {
    const url = new URL(ariUrl);
    this.#prefix = url.pathname.replace(/\/+$/, '');
    this.#pool = new Pool(url.origin, {
      connections: CONNECTIONS,
      pipelining: 1,
      connectTimeout: REQUEST_DEADLINE_MS,
      headersTimeout: REQUEST_DEADLINE_MS,
      bodyTimeout: REQUEST_DEADLINE_MS,
      keepAliveTimeout: 10_000,
    });
    this.#headers = { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
    this.#jsonHeaders = { ...this.#headers, 'content-type': 'application/json' };
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
    if (this.#pool.destroyed)
      return Promise.resolve({ kind: 'not-sent', text: 'the session to the PBX node was closed' });
    const begunAt = performance.now();
    return new Promise((resolve) => {
      const answer = new Answer(`${method} ${path.split('?', 1)[0]}`, (given) => {
        // An answer that is lost tells of no queue.
        if (given.kind === 'answered') this.#onAnswer(performance.now() - begunAt);
        resolve(given);
      });
      this.#pool.dispatch(
        {
          method,
          path: this.#prefix + path,
          headers: body === undefined ? this.#headers : this.#jsonHeaders,
          body: body === undefined ? null : JSON.stringify(body),
        },
        answer,
      );
    });
  }

  /**
   * Opens a file. It is read as it comes, as slowly as the reader likes; a sender that is silent for 3 s is given up, and the
   * content ends with an error.
   * @param signal Ends it at any time.
   */
  async download(path: string, signal: AbortSignal): Promise<AriDownload> {
    if (this.#pool.destroyed) return { kind: 'failed', text: 'the session to the PBX node was closed' };
    try {
      const { statusCode, headers, body } = await this.#pool.request({
        method: 'GET',
        path: this.#prefix + path,
        headers: this.#headers,
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
    await this.#pool.destroy().catch(() => undefined);
  }
}

/** Only these say for sure that no byte of the request went out. */
const NOT_SENT: ReadonlySet<string | undefined> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Reads one answer, up to its deadline. Below `pool.request()`, which makes a stream and a signal for every request. */
class Answer implements Dispatcher.DispatchHandler {
  readonly #timer = setTimeout(() => this.#onDeadline(), REQUEST_DEADLINE_MS);
  readonly #chunks: Buffer[] = [];
  #controller: Dispatcher.DispatchController | null = null;
  #status = 0;
  #isLate = false;

  constructor(
    private readonly what: string,
    private readonly resolve: (answer: AriAnswer) => void,
  ) {}

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // It waited for a connection until nobody waited for it.
    if (this.#isLate) controller.abort(new Error(LATE));
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number): void {
    this.#status = status;
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    clearTimeout(this.#timer);
    this.resolve({ kind: 'answered', status: this.#status, body: parseBody(Buffer.concat(this.#chunks).toString()) });
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: Error & { code?: string }): void {
    clearTimeout(this.#timer);
    const { code, message } = error;
    this.resolve({ kind: NOT_SENT.has(code) ? 'not-sent' : 'unknown', text: `${this.what}: ${code ?? message}` });
  }

  #onDeadline(): void {
    this.#isLate = true;
    this.resolve({ kind: 'unknown', text: `${this.what}: ${LATE}` });
    this.#controller?.abort(new Error(LATE));
  }
}

function parseBody(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return text.slice(0, 200);
  }
}
