import { lookup as systemLookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { Agent, errors, type Dispatcher } from 'undici';
import type { EgressRules, Target } from './egress-rules.js';
import { retryAfterSeconds } from './retry-after.js';

export type OutgoingRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Called right before the first byte is written. */
  readonly onFirstByte?: () => void;
};

export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** What came of a request. A bad status is a value like any other; nothing is thrown. */
export type Outcome =
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** Names in lower case. */
      readonly headers: AnswerHeaders;
      /** The beginning of the answer, for people. */
      readonly excerpt: string;
      readonly retryAfterSeconds?: number;
      readonly durationMs: number;
    }
  | {
      readonly kind: 'failed';
      /** In words. The same for a target that is refused, closed or filtered: nobody can scan a network by it. */
      readonly error: string;
      /** A connection was there, and the request was being written. */
      readonly wasSent: boolean;
      readonly durationMs: number;
    };

export type EgressLimits = {
  /** From the request to the end of its answer. */
  readonly totalMs: number;
  readonly connectMs: number;
  readonly headersMs: number;
  /** How much of an answer is read before the connection is cut. */
  readonly readBytes: number;
  readonly keepBytes: number;
  readonly headerBytes: number;
  readonly connectionsPerTarget: number;
};

export const egressLimits: EgressLimits = {
  totalMs: 15_000,
  connectMs: 5_000,
  headersMs: 10_000,
  readBytes: 20_000,
  keepBytes: 4_096,
  headerBytes: 16_384,
  // Many tenants may use one host: what bounds a single one is how much is sent for it at a time.
  connectionsPerTarget: 64,
};

export type ResolvedAddress = { readonly address: string; readonly family: number };
export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>;

const COULD_NOT_CONNECT = 'Could not connect.';
const CLOSED_EARLY = 'The connection was closed before an answer came.';

/**
 * The one way out for requests to addresses that tenants name. It connects to public addresses only (see EgressRules),
 * to exactly the address it checked, follows no redirect, unpacks nothing and gives up in time.
 */
export class GuardedClient {
  readonly #agents: Readonly<Record<Target['reach'], Agent>>;

  constructor(
    private readonly rules: EgressRules,
    private readonly limits: EgressLimits = egressLimits,
    private readonly resolve: Resolve = (hostname) => systemLookup(hostname, { all: true }),
    /** Further certificate authorities, PEM. */
    ca?: string,
  ) {
    // A kept connection was checked for one reach and serves no other.
    const agent = (reach: Target['reach']): Agent =>
      new Agent({
        connections: limits.connectionsPerTarget,
        pipelining: 1,
        keepAliveTimeout: 10_000,
        keepAliveMaxTimeout: 30_000,
        maxHeaderSize: limits.headerBytes,
        connect: { timeout: limits.connectMs, lookup: this.#checkedLookup(reach), ...(ca !== undefined && { ca }) },
      });
    this.#agents = {
      anything: agent('anything'),
      'allowed-ranges': agent('allowed-ranges'),
      'public-or-allowed-ranges': agent('public-or-allowed-ranges'),
    };
  }

  send(request: OutgoingRequest): Promise<Outcome> {
    const startedAt = performance.now();
    const verdict = this.rules.check(request.url);
    if (verdict.kind === 'refused') {
      return Promise.resolve({ kind: 'failed', error: COULD_NOT_CONNECT, wasSent: false, durationMs: 0 });
    }
    const { url, reach } = verdict.target;
    return new Promise((resolve) => {
      const answer = new AnswerReader(this.limits, startedAt, request.onFirstByte, resolve);
      const headers = { ...request.headers, 'accept-encoding': 'identity' };
      const path = `${url.pathname}${url.search}`;
      try {
        this.#agents[reach].dispatch(
          {
            origin: url.origin,
            path,
            method: request.method,
            headers,
            ...(request.body !== undefined && { body: request.body }),
            headersTimeout: this.limits.headersMs,
            bodyTimeout: this.limits.totalMs,
          },
          answer,
        );
      } catch (error) {
        answer.fail(error);
      }
    });
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#agents).map((agent) => agent.destroy()));
  }

  /** Resolves a name and hands out its addresses only if every one of them may be connected to. */
  #checkedLookup(reach: Target['reach']): LookupFunction {
    return (hostname, options, callback) => {
      this.resolve(hostname).then(
        (addresses) => {
          // One forbidden address among public ones is a trick, not an accident to work around.
          const permitted = addresses.every(({ address }) => this.rules.permits({ reach }, address));
          const [first] = addresses;
          if (!first || !permitted) callback(new RefusedAddress(), '', 0);
          else if (options.all) callback(null, [...addresses]);
          else callback(null, first.address, first.family);
        },
        (error: NodeJS.ErrnoException) => callback(error, '', 0),
      );
    };
  }
}

class RefusedAddress extends Error {
  readonly code = 'EGRESS_REFUSED';
}

/** Reads one answer up to its limits, then settles once, whatever still happens on the connection. */
class AnswerReader implements Dispatcher.DispatchHandler {
  #controller: Dispatcher.DispatchController | undefined;
  #settled = false;
  #status = 0;
  #headers: AnswerHeaders = {};
  #encoded = false;
  #retryAfter: number | undefined;
  #read = 0;
  readonly #kept: Buffer[] = [];
  #keptBytes = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly limits: EgressLimits,
    private readonly startedAt: number,
    private readonly onFirstByte: (() => void) | undefined,
    private readonly resolve: (outcome: Outcome) => void,
  ) {
    this.#timer = setTimeout(() => this.#timeOut(), limits.totalMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // It waited for a connection until its time was over.
    if (this.#settled) controller.abort(new Error('too late'));
    else this.onFirstByte?.();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
    const encoding = headers['content-encoding'];
    this.#encoded = encoding !== undefined && encoding !== 'identity';
    const retryAfter = headers['retry-after'];
    if (typeof retryAfter === 'string') this.#retryAfter = retryAfterSeconds(retryAfter, Date.now());
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled) return;
    this.#read += chunk.length;
    if (this.#keptBytes < this.limits.keepBytes) {
      const part = chunk.subarray(0, this.limits.keepBytes - this.#keptBytes);
      // A copy: the chunk is a view of the socket's buffer.
      this.#kept.push(Buffer.from(part));
      this.#keptBytes += part.length;
    }
    if (this.#read <= this.limits.readBytes) return;
    this.#answered();
    controller.abort(new Error('the answer is long enough'));
  }

  onResponseEnd(): void {
    this.#answered();
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    // The status line is the answer; what follows it is only for people to read.
    if (this.#status > 0) this.#answered();
    else this.fail(error);
  }

  fail(error: unknown): void {
    this.#failed(inWords(error, this.limits));
  }

  #timeOut(): void {
    if (this.#status > 0) this.#answered();
    else {
      const error = this.#controller ? noAnswer(this.limits.totalMs) : COULD_NOT_CONNECT;
      this.#failed(error);
    }
    this.#controller?.abort(new Error('out of time'));
  }

  #failed(error: string): void {
    this.#settle({
      kind: 'failed',
      error,
      wasSent: this.#controller !== undefined,
      durationMs: this.#elapsed(),
    });
  }

  #answered(): void {
    this.#settle({
      kind: 'answered',
      status: this.#status,
      headers: this.#headers,
      // PostgreSQL's text holds no NUL. Packed bytes are of no use to a reader.
      excerpt: this.#encoded ? '' : Buffer.concat(this.#kept).toString('utf8').replaceAll('\0', '\uFFFD'),
      ...(this.#retryAfter !== undefined && { retryAfterSeconds: this.#retryAfter }),
      durationMs: this.#elapsed(),
    });
  }

  #elapsed(): number {
    return Math.round(performance.now() - this.startedAt);
  }

  #settle(outcome: Outcome): void {
    if (this.#settled) return;
    this.#settled = true;
    clearTimeout(this.#timer);
    this.resolve(outcome);
  }
}

function noAnswer(ms: number): string {
  return `No answer within ${ms / 1000} s.`;
}

const connectFailures = new Set([
  'EGRESS_REFUSED',
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EAI_NODATA',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EADDRNOTAVAIL',
  'EACCES',
  'EINVAL',
  'UND_ERR_CONNECT_TIMEOUT',
]);

function inWords(error: unknown, limits: EgressLimits): string {
  const { code = '' } = error as { readonly code?: string };
  if (connectFailures.has(code) || error instanceof AggregateError) return COULD_NOT_CONNECT;
  if (code === 'UND_ERR_HEADERS_TIMEOUT') return noAnswer(limits.headersMs);
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return 'The answer’s headers are too long.';
  // The parser sets no code for some of its errors.
  if (code.startsWith('HPE_') || error instanceof errors.HTTPParserError) return 'The answer was not valid HTTP.';
  if (/^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|EPROTO|HOSTNAME_MISMATCH)/.test(code)) {
    return `TLS failed: ${code
      .replace(/^ERR_(TLS|SSL)_/, '')
      .replaceAll('_', ' ')
      .toLowerCase()}.`;
  }
  return CLOSED_EARLY;
}
