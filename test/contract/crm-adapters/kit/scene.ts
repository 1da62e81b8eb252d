import type { CrmSimulator, SimulatedCall } from '../../../../lab/crm/crm-simulator.js';
import type { Fault, SimulatedRequest } from '../../../../lab/crm/simulator-server.js';
import { openGate, type Gate } from '../../../../src/crm/client/bounded-client.js';
import { connect } from '../../../../src/crm/client/crm-clients.js';
import type { StoredToken, TokenStore } from '../../../../src/crm/client/tokens.js';
import type { CrmAdapter, CrmCapabilities, CrmSession } from '../../../../src/crm/port/crm-adapter.js';
import type { CrmCall } from '../../../../src/crm/port/crm-objects.js';
import type { Verdict } from '../../../../src/crm/port/verdict.js';
import { EgressRules } from '../../../../src/egress/egress-rules.js';
import { egressLimits, GuardedClient } from '../../../../src/egress/guarded-client.js';
import { problemOf } from './verdict-shape.js';

/** Fields of a simulated call for which a vendor may have no place. */
export type LackingField = Exclude<keyof SimulatedCall, 'id' | 'isOpen' | 'recording'>;

export type KitEntry = {
  readonly adapter: CrmAdapter;
  readonly startSimulator: () => Promise<CrmSimulator>;
  /** Where an adapter has several ways of working, the one that this simulator's settings choose. */
  readonly variant?: string;
  /** What the vendor has no field for. The kit holds that it is null, so that a lack hides no fault. */
  readonly lacks?: readonly LackingField[];
  /** Calls for which the vendor has no place. The kit holds that they are rejected, and nothing is made of them. */
  readonly refuses?: readonly CrmCall['direction'][];
};

export type Http = Pick<GuardedClient, 'send'>;

export class CheckFailed extends Error {}

export function ensure(holds: boolean, why: string): asserts holds {
  if (!holds) throw new CheckFailed(why);
}

const ANSWER_BYTES = 4 * 2 ** 20;

/** The product's own client; only loopback is opened to it. */
export function kitHttp(): GuardedClient {
  const limits = { ...egressLimits, readBytes: ANSWER_BYTES, keepBytes: ANSWER_BYTES };
  return new GuardedClient(new EgressRules(['127.0.0.0/8']), limits);
}

/** One adapter beside a fresh simulator. */
export class Scene {
  readonly settings: Record<string, unknown>;
  readonly capabilities: CrmCapabilities;
  readonly anna: string;
  readonly boris: string;
  readonly #store = memoryStore();
  readonly #secrets: readonly string[];
  /** Ours, of every call that a step was given. */
  readonly #callIds = new Set<string>();

  private constructor(
    readonly entry: KitEntry,
    readonly crm: CrmSimulator,
    readonly http: Http,
  ) {
    const { adapter } = entry;
    if (crm.lagMs !== undefined) crm.lagMs = 0;
    this.settings = adapter.settings.parse(crm.settings);
    this.capabilities = adapter.capabilities(this.settings);
    this.#secrets = adapter.secrets
      .map((name) => this.settings[name])
      .filter((value): value is string => typeof value === 'string' && value.length >= 6);
    this.anna = crm.addUser({ name: 'Anna Álvarez', email: 'anna@example.com', extension: '201' });
    this.boris = crm.addUser({ name: 'Boris Бобров', email: 'boris@example.com', extension: '202' });
  }

  static async open(entry: KitEntry, http: Http): Promise<Scene> {
    const crm = await entry.startSimulator();
    try {
      return new Scene(entry, crm, http);
    } catch (error) {
      await crm.stop();
      throw error;
    }
  }

  /** A session of another process, if you like: nothing is kept between two but the token. */
  session({
    http = this.http,
    settings = this.settings,
    gate = openGate,
    store = this.#store,
  }: { http?: Http; settings?: Record<string, unknown>; gate?: Gate; store?: TokenStore } = {}): CrmSession {
    const session = connect(this.entry.adapter, settings, http, store, gate, new Map());
    return new Proxy(session, {
      get: (target, name) => {
        const step: unknown = Reflect.get(target, name);
        if (typeof step !== 'function') return step;
        return async (...given: unknown[]) => {
          given.forEach((one) => this.#remember(one));
          const verdict = await this.#judged(String(name), () => Reflect.apply(step, target, given));
          await this.crm.refresh?.([...this.#callIds]);
          return verdict;
        };
      },
    });
  }

  #remember(given: unknown): void {
    const isCall = typeof given === 'object' && given !== null && 'id' in given && 'startedAt' in given;
    if (isCall) this.#callIds.add(String(given.id));
  }

  async #judged(step: string, give: () => Promise<Verdict<unknown>>): Promise<Verdict<unknown>> {
    let verdict: Verdict<unknown>;
    try {
      verdict = await give();
    } catch (error) {
      throw new CheckFailed(`${step} threw ${String(error)}`);
    }
    const problem = problemOf(step, verdict);
    ensure(problem === null, `${step}: ${problem ?? ''}`);
    if (verdict.verdict !== 'done') {
      for (const secret of this.#secrets) ensure(!verdict.why.includes(secret), `${step} tells a secret in its why`);
    }
    return verdict;
  }

  lacks(field: LackingField): boolean {
    return this.entry.lacks?.includes(field) === true;
  }

  /** The one call object. */
  call(): SimulatedCall {
    const calls = this.crm.calls();
    const [call] = calls;
    ensure(calls.length === 1 && call !== undefined, `the CRM holds ${calls.length} calls, not 1`);
    return call;
  }

  /** @param test is not asked where the vendor has no such field */
  holds<Field extends LackingField>(
    field: Field,
    test: (value: NonNullable<SimulatedCall[Field]>) => boolean,
    call: SimulatedCall = this.call(),
  ): void {
    const value = call[field];
    if (this.lacks(field)) {
      const isEmpty = value === null || value === '' || (Array.isArray(value) && value.length === 0);
      ensure(isEmpty, `${field} is said to be lacking and is ${JSON.stringify(value)}`);
      return;
    }
    ensure(value !== null && test(value), `${field} is ${JSON.stringify(value)}`);
  }

  /** Faults of the API, not of the token endpoint. */
  fail(fault: Fault): void {
    const isToken = this.#isToken();
    this.crm.fail({ ...fault, matches: (request) => !isToken(request) && (fault.matches?.(request) ?? true) });
  }

  get tokenPath(): string | null {
    const auth = this.entry.adapter.auth(this.settings);
    if (auth.kind !== 'oauth2') return null;
    const base = this.entry.adapter.baseUrl(this.settings);
    return new URL(/^https?:/.test(auth.tokenUrl) ? auth.tokenUrl : `${base}${auth.tokenUrl}`).pathname;
  }

  #isToken(): (request: SimulatedRequest) => boolean {
    const path = this.tokenPath;
    return (request) => request.path === path;
  }

  /** Requests that were seen, without those for tokens. */
  asked(): number {
    return this.crm.requests.filter(({ path }) => path !== this.tokenPath).length;
  }
}

export function memoryStore(): TokenStore {
  let token: StoredToken | null = null;
  return {
    read: () => Promise.resolve(token),
    change: async (make) => (token = await make(token)),
  };
}

export function valueOf<Value>(verdict: Verdict<Value>, step: string): Value {
  ensure(verdict.verdict === 'done', `${step} gave ${JSON.stringify(verdict)}`);
  return verdict.value;
}
