import type { SecretBox } from '../../common/secret-box.js';
import type { GuardedClient } from '../../egress/guarded-client.js';
import type { CrmAdapters } from '../adapters/crm-adapters.js';
import { readSettings } from '../connections/connection-secrets.js';
import type { CrmConnection } from '../connections/crm-connection.entity.js';
import type { CrmAdapter, CrmSession } from '../port/crm-adapter.js';
import type { CrmUser } from '../port/crm-objects.js';
import type { Limit } from '../port/limit.js';
import { done, type Verdict } from '../port/verdict.js';
import { BoundedClient, remember, toAnswer, type Gate, type Remembered } from './bounded-client.js';
import { encodeBody } from './encode-body.js';
import type { Purpose } from './purpose.js';
import { Tokens, type TokenStore } from './tokens.js';
import { secretsOf, withoutSecrets } from './without-secrets.js';

/** The gate of a connection for requests of a purpose. */
export type Gates = (connectionId: string, limits: readonly Limit[], purpose: Purpose) => Gate;

type Connection = Pick<CrmConnection, 'tenantId' | 'id' | 'adapter' | 'settings' | 'secretsSealed'>;

/** Under a name that no adapter uses for what it remembers itself. */
const USERS = 'ringline:users';
const USERS_SECONDS = 300;

/** Sessions of connections with their CRMs. A session is cheap, and for one step. */
export class CrmClients {
  readonly #remembered = new Map<string, Remembered>();

  constructor(
    private readonly adapters: CrmAdapters,
    private readonly http: Pick<GuardedClient, 'send'>,
    private readonly secretBox: SecretBox,
    private readonly tokens: (connection: Connection) => TokenStore,
    private readonly gates: Gates,
  ) {}

  adapterOf({ adapter }: Pick<CrmConnection, 'adapter'>): CrmAdapter {
    return this.adapters.get(adapter);
  }

  settingsOf(connection: Connection): Record<string, unknown> {
    return readSettings(this.secretBox, this.adapterOf(connection), connection);
  }

  session(connection: Connection, purpose: Purpose): CrmSession {
    const adapter = this.adapterOf(connection);
    const settings = this.settingsOf(connection);
    const gate = this.gates(connection.id, adapter.capabilities(settings).limits, purpose);
    return connect(adapter, settings, this.http, this.tokens(connection), gate, this.#rememberedOf(connection.id));
  }

  /** The CRM's users, as they were a few minutes ago at the earliest. Null: the adapter does not list them. */
  usersOf(connection: Connection, purpose: Purpose): Promise<Verdict<readonly CrmUser[]>> | null {
    const session = this.session(connection, purpose);
    const isAble = this.adapterOf(connection).capabilities(this.settingsOf(connection)).users;
    if (!isAble || session.listUsers === undefined) return null;
    const ask = (): Promise<Verdict<readonly CrmUser[]>> => session.listUsers?.() ?? Promise.resolve(done([]));
    return remember(this.#rememberedOf(connection.id), USERS, USERS_SECONDS, ask);
  }

  /** Its settings have changed. */
  forget(connectionId: string): void {
    this.#remembered.delete(connectionId);
  }

  #rememberedOf(id: string): Remembered {
    const known = this.#remembered.get(id) ?? new Map();
    this.#remembered.set(id, known);
    return known;
  }
}

/** @param settings as the adapter's schema gave them */
export function connect(
  adapter: CrmAdapter,
  settings: Record<string, unknown>,
  http: Pick<GuardedClient, 'send'>,
  store: TokenStore,
  gate: Gate,
  remembered: Remembered,
): CrmSession {
  const baseUrl = adapter.baseUrl(settings);
  const auth = adapter.auth(settings);
  const tokens =
    auth.kind !== 'oauth2'
      ? null
      : new Tokens(auth, store, async (fields) => {
          const url = /^https?:/.test(auth.tokenUrl) ? auth.tokenUrl : `${baseUrl}${auth.tokenUrl}`;
          const headers = { accept: 'application/json', 'user-agent': 'Ringline/1' };
          if (auth.fields === 'query') {
            return toAnswer(
              await http.send({ method: 'GET', url: `${url}?${new URLSearchParams(fields).toString()}`, headers }),
            );
          }
          const { contentType, bytes } = encodeBody(auth.fields === 'json' ? { json: fields } : { form: fields });
          const body = { headers: { ...headers, 'content-type': contentType }, body: bytes };
          return toAnswer(await http.send({ method: 'POST', url, ...body }));
        });
  const client = new BoundedClient(baseUrl, auth, tokens, http, gate, remembered);
  return bounded(adapter.connect(client, settings), client, secretsOf(settings, adapter.secrets));
}

/** Steps by which a CRM comes to have something. */
const making: ReadonlySet<string | symbol> = new Set<keyof CrmSession>([
  'popScreen',
  'openCall',
  'closeCall',
  'createObject',
  'createTask',
  'addNote',
]);

/**
 * A session whose gate closes when a step says that the vendor was asked too often: not every vendor says so by a status. What it
 * tells of a failure is free of secrets.
 */
function bounded(session: CrmSession, client: BoundedClient, secrets: readonly string[]): CrmSession {
  return new Proxy(session, {
    get(target, name) {
      const step: unknown = Reflect.get(target, name, target);
      if (typeof step !== 'function') return step;
      return async (...given: unknown[]): Promise<unknown> => {
        const before = client.writes;
        const verdict = (await Reflect.apply(step, target, given)) as Verdict<unknown>;
        if (verdict.verdict === 'rate-limited' && !client.heldBack) await client.slowDown(verdict.afterMs);
        if (verdict.verdict === 'done') return verdict;
        const told = { ...verdict, why: withoutSecrets(verdict.why, secrets) };
        // Of several requests one came about: what was to be made may be there, in part.
        return making.has(name) && client.writes > before ? { ...told, mayBeDone: true } : told;
      };
    },
  });
}
