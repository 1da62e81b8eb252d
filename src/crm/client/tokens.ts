import type { CrmAnswer, OAuth2 } from '../port/crm-client.js';
import { excerptOf } from '../port/verdict.js';

export type StoredToken = {
  readonly access: string;
  readonly refresh: string | null;
  /** ms since the epoch */
  readonly expiresAt: number;
};

/** Where a connection's token is kept. */
export type TokenStore = {
  read(): Promise<StoredToken | null>;
  /** Stores what `make` gives, one process at a time. What it throws is thrown, and nothing is stored. */
  change(make: (current: StoredToken | null) => Promise<StoredToken>): Promise<StoredToken>;
};

export type TokenAnswer = { readonly kind: 'token'; readonly value: string } | Exclude<CrmAnswer, { kind: 'answered' }>;

/** Asks the token endpoint, past the vendor's limits. */
export type AskForToken = (fields: Readonly<Record<string, string>>) => Promise<CrmAnswer>;

/** Renewed when it has less time left than a request may take. */
const EARLY_MS = 30_000;
const DEFAULT_LIFE_SECONDS = 3600;

/** A connection's access token (RFC 6749). Some vendors give a refresh token once: it is stored before it is used. */
export class Tokens {
  constructor(
    private readonly auth: OAuth2,
    private readonly store: TokenStore,
    private readonly ask: AskForToken,
    private readonly now: () => number = Date.now,
  ) {}

  async current(): Promise<TokenAnswer> {
    const stored = await this.store.read();
    if (stored !== null && stored.expiresAt - EARLY_MS > this.now()) return { kind: 'token', value: stored.access };
    return this.renew(stored?.access ?? null);
  }

  /** @param refused the token that is not good any more: if another is stored meanwhile, that one is given */
  async renew(refused: string | null): Promise<TokenAnswer> {
    try {
      const { access } = await this.store.change(async (current) => {
        if (current !== null && current.access !== refused && current.expiresAt > this.now()) return current;
        return this.#ask(current?.refresh ?? this.auth.refreshToken ?? null);
      });
      return { kind: 'token', value: access };
    } catch (error) {
      if (error instanceof NotGiven) return error.answer;
      throw error;
    }
  }

  async #ask(refresh: string | null): Promise<StoredToken> {
    const { auth } = this;
    const answer = await this.ask({
      grant_type: auth.grant,
      client_id: auth.clientId,
      client_secret: auth.clientSecret,
      ...(auth.grant === 'refresh_token' && refresh !== null && { refresh_token: refresh }),
      ...auth.moreFields,
    });
    if (answer.kind !== 'answered') throw new NotGiven(answer);
    const body = (answer.json ?? {}) as { access_token?: unknown; refresh_token?: unknown; expires_in?: unknown };
    if (answer.status >= 500 || answer.status === 429) {
      throw new NotGiven({
        kind: 'lost',
        why: `The token endpoint answered ${answer.status}.`,
        mayHaveArrived: false,
      });
    }
    if (answer.status >= 300 || typeof body.access_token !== 'string') {
      const why = `The CRM gives no access token (${answer.status}: ${excerptOf(answer.text)}). Connect it again.`;
      throw new NotGiven({ kind: 'unauthorized', why });
    }
    const seconds = Number(body.expires_in);
    return {
      access: body.access_token,
      refresh: typeof body.refresh_token === 'string' ? body.refresh_token : refresh,
      expiresAt: this.now() + (seconds > 0 ? seconds : DEFAULT_LIFE_SECONDS) * 1000,
    };
  }
}

class NotGiven extends Error {
  constructor(readonly answer: Exclude<CrmAnswer, { kind: 'answered' }>) {
    super('no token');
  }
}
