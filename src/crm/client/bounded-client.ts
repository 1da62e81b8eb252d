import type { GuardedClient, OutgoingRequest, Outcome } from '../../egress/guarded-client.js';
import type { Auth, CrmAnswer, CrmClient, CrmRequest } from '../port/crm-client.js';
import type { Verdict } from '../port/verdict.js';
import { encodeBody } from './encode-body.js';
import type { Tokens } from './tokens.js';

/** Lets a request go when the vendor's limits allow it. */
export type Gate = {
  /** @returns null when it may go now; else in how many ms it may, which is too long to wait for */
  enter(cost: number, lane: string | undefined): Promise<{ readonly leave: () => void } | { readonly afterMs: number }>;
  /** The vendor says that it is asked too often: nobody goes for so long. */
  close(ms: number): Promise<void>;
};

/** A gate that is always open. */
export const openGate: Gate = {
  enter: () => Promise.resolve({ leave: () => undefined }),
  close: () => Promise.resolve(),
};

/** Where the vendor says that it is asked too often, and not for how long. */
export const CLOSED_MS = 1_000;
/** A gate is not closed for longer, whatever was said: after that it is asked again, and may say so again. */
const LONGEST_CLOSED_MS = 3_600_000;

export type Remembered = Map<string, { readonly verdict: Verdict<unknown>; readonly until: number }>;

export async function remember<Value>(
  remembered: Remembered,
  key: string,
  forSeconds: number,
  ask: () => Promise<Verdict<Value>>,
  now: () => number = Date.now,
): Promise<Verdict<Value>> {
  const known = remembered.get(key);
  if (known !== undefined && known.until > now()) return known.verdict as Verdict<Value>;
  const verdict = await ask();
  if (verdict.verdict === 'done') remembered.set(key, { verdict, until: now() + forSeconds * 1000 });
  return verdict;
}

/** The way to one connection's CRM. Implements the port's `CrmClient`; see there for what it promises. */
export class BoundedClient implements CrmClient {
  #heldBack = false;
  #writes = 0;

  /** @param tokens null where `auth` is no OAuth. @param remembered outlives this client, as long as the connection's settings. */
  constructor(
    private readonly baseUrl: string,
    private readonly auth: Auth,
    private readonly tokens: Tokens | null,
    private readonly http: Pick<GuardedClient, 'send'>,
    private readonly gate: Gate,
    private readonly remembered: Remembered,
    private readonly now: () => number = Date.now,
  ) {}

  async request(request: CrmRequest): Promise<CrmAnswer> {
    if (this.tokens === null || this.auth.kind !== 'oauth2') return this.#send(request, null);
    const token = await this.tokens.current();
    if (token.kind !== 'token') return token;
    const answer = await this.#send(request, token.value);
    if (!isExpired(answer, this.auth)) return answer;
    const fresh = await this.tokens.renew(token.value);
    return fresh.kind === 'token' ? this.#send(request, fresh.value) : fresh;
  }

  remember<Value>(key: string, forSeconds: number, ask: () => Promise<Verdict<Value>>): Promise<Verdict<Value>> {
    return remember(this.remembered, key, forSeconds, ask, this.now);
  }

  /** Whether a request was not sent because of the vendor's limits: then it is not the vendor who says that it is too much. */
  get heldBack(): boolean {
    return this.#heldBack;
  }

  /** Requests that may change something and were carried out, as far as anybody knows. Some vendors have reads of that kind too. */
  get writes(): number {
    return this.#writes;
  }

  /** The vendor said that it is asked too often. */
  slowDown(ms: number = CLOSED_MS): Promise<void> {
    return this.gate.close(Math.min(Math.max(ms, 1), LONGEST_CLOSED_MS));
  }

  async #send(request: CrmRequest, token: string | null): Promise<CrmAnswer> {
    const entered = await this.gate.enter(request.cost ?? 1, request.lane);
    if ('afterMs' in entered) {
      this.#heldBack = true;
      return { kind: 'held-back', afterMs: entered.afterMs };
    }
    try {
      const answer = toAnswer(await this.http.send(this.#outgoing(request, token)));
      if (request.method !== 'GET' && mayHaveWritten(answer)) this.#writes += 1;
      if (isTooOften(answer)) await this.slowDown(answer.retryAfterMs);
      return answer;
    } finally {
      entered.leave();
    }
  }

  #outgoing({ method, path, query = {}, headers = {}, body }: CrmRequest, token: string | null): OutgoingRequest {
    if (!path.startsWith('/')) throw new Error(`a path begins with a slash: ${path}`);
    const { auth } = this;
    const asked = { ...query };
    const signed: Record<string, string> = {};
    if (auth.kind === 'headers') Object.assign(signed, auth.headers);
    if (auth.kind === 'basic')
      signed['authorization'] = `Basic ${Buffer.from(`${auth.user}:${auth.password}`).toString('base64')}`;
    if (auth.kind === 'oauth2' && token !== null) {
      if (auth.place === 'bearer') signed['authorization'] = `Bearer ${token}`;
      else asked[auth.place.query] = token;
    }
    const encoded = body === undefined ? null : encodeBody(body);
    return {
      method,
      url: `${this.baseUrl}${path}${queryOf(asked)}`,
      headers: {
        accept: 'application/json',
        'user-agent': 'Ringline/1',
        ...(encoded !== null && { 'content-type': encoded.contentType }),
        ...headers,
        ...signed,
      },
      ...(encoded !== null && { body: encoded.bytes }),
    };
  }
}

function isExpired(answer: CrmAnswer, auth: Extract<Auth, { kind: 'oauth2' }>): boolean {
  return answer.kind === 'answered' && (answer.status === 401 || auth.isExpired?.(answer) === true);
}

function mayHaveWritten(answer: CrmAnswer): boolean {
  if (answer.kind === 'answered') return answer.status < 300 || answer.status >= 500;
  return answer.kind === 'lost' && answer.mayHaveArrived;
}

function isTooOften(answer: CrmAnswer): answer is Extract<CrmAnswer, { kind: 'answered' }> {
  if (answer.kind !== 'answered') return false;
  return answer.status === 429 || (answer.status === 503 && answer.retryAfterMs !== undefined);
}

function queryOf(query: NonNullable<CrmRequest['query']>): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? (value as readonly string[]) : [String(value)]).map(
      (one) => `${encodeURIComponent(name)}=${encodeURIComponent(one)}`,
    ),
  );
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

export function toAnswer(outcome: Outcome): CrmAnswer {
  if (outcome.kind === 'failed') return { kind: 'lost', why: outcome.error, mayHaveArrived: outcome.wasSent };
  const { status, headers, excerpt: text, retryAfterSeconds } = outcome;
  return {
    kind: 'answered',
    status,
    headers: Object.fromEntries(
      Object.entries(headers).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, Array.isArray(value) ? (value[0] ?? '') : value]],
      ),
    ),
    text,
    json: parse(text),
    ...(retryAfterSeconds !== undefined && { retryAfterMs: retryAfterSeconds * 1000 }),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
