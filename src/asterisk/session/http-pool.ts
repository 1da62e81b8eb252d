import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** How a request ended. `wasSent`: whether any byte of it may have gone out. */
export type HttpEnd =
  | { readonly kind: 'answered'; readonly status: number; readonly text: string }
  | { readonly kind: 'failed'; readonly why: string; readonly wasSent: boolean };

export type HttpPoolOptions = { readonly connections: number; readonly idleMs: number };

type Waiting = { readonly bytes: string; readonly onEnd: (end: HttpEnd) => void; connection: Connection | null };

/** No answer has a longer head. */
const MOST_HEAD_BYTES = 16_384;
/** As other clients have it. */
const KEEP_ALIVE_MARGIN_MS = 1_000;
const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * Short requests over connections that are kept: HTTP/1.1, one request at a time on each, nothing repeated. A call takes a dozen
 * of them, and most of what a library spends on one is for what none of them has: streams, upgrades, pipelining.
 */
export class HttpPool {
  /** Those with nothing to do; the last was used last. */
  readonly #idle: Connection[] = [];
  readonly #waiting: Waiting[] = [];
  readonly #all = new Set<Connection>();
  #isClosed = false;

  constructor(
    private readonly origin: URL,
    private readonly options: HttpPoolOptions,
  ) {}

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * @param path With its query. @param headers Lines, each with its end.
   * @param onEnd Told once, later than this returns.
   * @returns what gives it up: `onEnd` is told so then, unless it was told before
   */
  send(
    method: string,
    path: string,
    headers: string,
    body: string | null,
    onEnd: (end: HttpEnd) => void,
  ): (why: string) => void {
    const length = body === null ? 0 : Buffer.byteLength(body);
    const own = `host: ${this.origin.host}\r\ncontent-length: ${length}\r\n`;
    const bytes = `${method} ${path} HTTP/1.1\r\n${own}${headers}\r\n${body ?? ''}`;
    const waiting: Waiting = { bytes, onEnd, connection: null };
    // Anything else in it would be another request.
    const isPath = /^[\x21-\x7e]+$/.test(path);
    if (isPath && !this.#isClosed) this.#start(waiting);
    else queueMicrotask(() => onEnd({ kind: 'failed', why: isPath ? 'closed' : 'no path of a URL', wasSent: false }));
    return (why) => this.#giveUp(waiting, why);
  }

  /** Nothing is answered after it. */
  close(): void {
    this.#isClosed = true;
    for (const { onEnd } of this.#waiting.splice(0)) onEnd({ kind: 'failed', why: 'closed', wasSent: false });
    for (const connection of this.#all) connection.end('closed');
  }

  #start(waiting: Waiting): void {
    const connection = this.#free();
    if (connection === null) {
      this.#waiting.push(waiting);
      return;
    }
    waiting.connection = connection;
    connection.ask(waiting.bytes, waiting.onEnd);
  }

  #free(): Connection | null {
    const now = performance.now();
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop()) {
      if (now - last.usedAt < Math.min(this.options.idleMs, last.keptMs)) return last;
      // The server is about to close it, and would take the request with it.
      last.end('idle');
    }
    if (this.#all.size >= this.options.connections) return null;
    const made = new Connection(this.origin, {
      onFree: () => this.#onFree(made),
      onGone: () => this.#onGone(made),
    });
    this.#all.add(made);
    return made;
  }

  #onFree(connection: Connection): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#idle.push(connection);
      return;
    }
    next.connection = connection;
    connection.ask(next.bytes, next.onEnd);
  }

  #onGone(connection: Connection): void {
    this.#all.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    const next = this.#waiting.shift();
    if (next !== undefined) this.#start(next);
  }

  #giveUp(waiting: Waiting, why: string): void {
    const at = this.#waiting.indexOf(waiting);
    if (at >= 0) {
      this.#waiting.splice(at, 1);
      waiting.onEnd({ kind: 'failed', why, wasSent: false });
    } else waiting.connection?.giveUp(waiting.onEnd, why);
  }
}

class Connection {
  usedAt = performance.now();
  /** How long the server says that it keeps it, less what a request takes to get there, ms. */
  keptMs = Infinity;
  readonly #socket: Socket;
  #onEnd: ((end: HttpEnd) => void) | null = null;
  #received: Buffer | null = null;
  #isOpen = false;
  #isGone = false;

  constructor(
    origin: URL,
    private readonly on: { readonly onFree: () => void; readonly onGone: () => void },
  ) {
    const host = origin.hostname.replace(/^\[(.*)\]$/, '$1');
    const isTls = origin.protocol === 'https:';
    const port = origin.port === '' ? (isTls ? 443 : 80) : Number(origin.port);
    this.#socket = isTls
      ? connectTls({ host, port, servername: isIP(host) === 0 ? host : '' })
      : connectTcp({ host, port });
    this.#socket.setNoDelay(true);
    this.#socket.once(isTls ? 'secureConnect' : 'connect', () => (this.#isOpen = true));
    this.#socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    this.#socket.on('error', (error: Error & { code?: string }) => this.end(error.code ?? error.message));
    this.#socket.once('end', () => this.#onServerEnd());
    this.#socket.once('close', () => this.end('closed'));
  }

  ask(bytes: string, onEnd: (end: HttpEnd) => void): void {
    this.#onEnd = onEnd;
    this.#socket.write(bytes);
  }

  /** Whoever waits for it is not answered any more. */
  giveUp(onEnd: (end: HttpEnd) => void, why: string): void {
    if (this.#onEnd === onEnd) this.end(why);
  }

  /** Tells whoever waits, once; nothing comes after it. */
  end(why: string): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#socket.destroy();
    this.#tell({ kind: 'failed', why, wasSent: this.#isOpen });
    this.on.onGone();
  }

  #tell(end: HttpEnd): void {
    const onEnd = this.#onEnd;
    this.#onEnd = null;
    this.#received = null;
    onEnd?.(end);
  }

  #onData(chunk: Buffer): void {
    // What nobody asked for makes it uncertain what the next answer is about.
    if (this.#onEnd === null) {
      this.end('unasked');
      return;
    }
    const received = this.#received === null ? chunk : Buffer.concat([this.#received, chunk]);
    this.#received = received;
    const answer = readAnswer(received, false);
    if (answer === 'more') return;
    if (answer === 'bad' || answer.isLast) {
      const told = answer === 'bad' ? failed('no HTTP') : answered(answer);
      this.#tell(told);
      this.end('done');
      return;
    }
    this.usedAt = performance.now();
    this.keptMs = answer.keptMs;
    this.#tell(answered(answer));
    if (!this.#isGone) this.on.onFree();
  }

  /** An answer without a length ends with the connection. */
  #onServerEnd(): void {
    const answer = this.#received === null ? 'more' : readAnswer(this.#received, true);
    if (typeof answer === 'object') this.#tell(answered(answer));
    this.end('the connection was closed');
  }
}

type Answer = {
  readonly status: number;
  readonly text: string;
  /** No other comes on this connection. */
  readonly isLast: boolean;
  readonly keptMs: number;
};

function answered({ status, text }: Answer): HttpEnd {
  return { kind: 'answered', status, text };
}

function failed(why: string): HttpEnd {
  return { kind: 'failed', why, wasSent: true };
}

/** @param isOver Nothing comes any more. */
export function readAnswer(received: Buffer, isOver: boolean): Answer | 'more' | 'bad' {
  const at = received.indexOf(HEAD_END);
  if (at < 0) return received.length > MOST_HEAD_BYTES || !startsWell(received) ? 'bad' : 'more';
  const head = received.toString('latin1', 0, at);
  const first = /^HTTP\/1\.([01]) (\d{3})(?: |\r|$)/.exec(head);
  if (first === null) return 'bad';
  const status = Number(first[2]);
  const rest = received.subarray(at + HEAD_END.length);
  // Provisional: the answer follows.
  if (status < 200) return readAnswer(rest, isOver);
  const kept = /^keep-alive:[^\r]*\btimeout=(\d{1,6})/im.exec(head)?.[1];
  const keptMs = kept === undefined ? Infinity : Number(kept) * 1000 - KEEP_ALIVE_MARGIN_MS;
  const isLast = first[1] === '0' || /^connection:[^\r]*\bclose\b/im.test(head);
  const hasNoBody = status === 204 || status === 304;
  if (/^transfer-encoding:[^\r]*\bchunked\b/im.test(head)) return readChunks(rest, { status, isLast, keptMs });
  const length = /^content-length: *(\d{1,12}) *\r?$/im.exec(head)?.[1];
  if (length === undefined && !hasNoBody) {
    return isOver ? { status, text: rest.toString(), isLast: true, keptMs } : 'more';
  }
  const bytes = hasNoBody ? 0 : Number(length);
  if (rest.length < bytes) return 'more';
  return { status, text: rest.toString('utf8', 0, bytes), isLast: isLast || rest.length > bytes, keptMs };
}

/** What came so far may still become an answer. */
function startsWell(received: Buffer): boolean {
  const start = 'HTTP/1.';
  return (
    start.startsWith(received.toString('latin1', 0, start.length)) ||
    received.toString('latin1', 0, start.length) === start
  );
}

/** As a proxy in front of Asterisk may send an answer; trailers are not read. */
function readChunks(received: Buffer, answer: Omit<Answer, 'text'>): Answer | 'more' | 'bad' {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = received.indexOf('\r\n', at);
    if (lineEnd < 0) return received.length - at > MOST_HEAD_BYTES ? 'bad' : 'more';
    const size = /^([0-9a-f]{1,8})(?:[ ;]|$)/i.exec(received.toString('latin1', at, lineEnd))?.[1];
    if (size === undefined) return 'bad';
    const from = lineEnd + 2;
    const until = from + Number.parseInt(size, 16);
    if (until === from) {
      const end = received.indexOf('\r\n', from);
      if (end < 0) return 'more';
      // With trailers the connection is not used again: where they end is of no interest.
      return { ...answer, text: Buffer.concat(parts).toString(), isLast: answer.isLast || received.length > end + 2 };
    }
    if (received.length < until + 2) return 'more';
    parts.push(received.subarray(from, until));
    at = until + 2;
  }
}
