import type { Verdict } from './verdict.js';

export type CrmRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the connection's base URL; begins with `/`. */
  readonly path: string;
  /** Encoded strictly: `+` as `%2B`. A list is repeated under its name. */
  readonly query?: Readonly<Record<string, string | number | readonly string[]>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: CrmBody;
  /** What it costs of the vendor's limits; 1 unless given. */
  readonly cost?: number;
  /** The limits that count it besides those that count all: such as `search`. */
  readonly lane?: string;
};

export type CrmBody =
  | { readonly json: unknown }
  | { readonly form: Readonly<Record<string, string>> }
  | { readonly multipart: readonly FormPart[] };

export type FormPart = {
  readonly name: string;
  readonly value: string | Uint8Array;
  readonly fileName?: string;
  readonly contentType?: string;
};

export type CrmAnswer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** Names in lower case. */
      readonly headers: Readonly<Record<string, string>>;
      /** Undefined when the body is not JSON. */
      readonly json: unknown;
      readonly text: string;
      readonly retryAfterMs?: number;
    }
  /** No answer came. `mayHaveArrived`: the request had been written. */
  | { readonly kind: 'lost'; readonly why: string; readonly mayHaveArrived: boolean }
  /** Nothing was sent: the vendor's limits do not allow it before. */
  | { readonly kind: 'held-back'; readonly afterMs: number }
  /** Nothing was sent: the CRM gives no token any more. */
  | { readonly kind: 'unauthorized'; readonly why: string };

/**
 * The way to one CRM, bounded: to its base URL only and guarded against private networks, signed, within the vendor's limits,
 * 15 s for an answer and 4 MB of it. It never throws and never repeats, but for one request that was refused for a token that
 * had expired: with a fresh one.
 */
export type CrmClient = {
  request(request: CrmRequest): Promise<CrmAnswer>;
  /** What is asked for once in a while: an id of a type, a custom field, a login. Kept for this connection, in this process. */
  remember<Value>(key: string, forSeconds: number, ask: () => Promise<Verdict<Value>>): Promise<Verdict<Value>>;
};

/** How requests are signed. */
export type Auth =
  | { readonly kind: 'headers'; readonly headers: Readonly<Record<string, string>> }
  | { readonly kind: 'basic'; readonly user: string; readonly password: string }
  | { readonly kind: 'none' }
  | OAuth2;

/** RFC 6749. Tokens are kept sealed, refreshed before they expire, by one process at a time, and stored before they are used. */
export type OAuth2 = {
  readonly kind: 'oauth2';
  /** Absolute, or a path below the base URL. */
  readonly tokenUrl: string;
  readonly grant: 'client_credentials' | 'refresh_token';
  readonly clientId: string;
  readonly clientSecret: string;
  /** The first one, as the admin entered it; the CRM may give another with each refresh. */
  readonly refreshToken?: string;
  /** How the token endpoint wants its fields. */
  readonly fields: 'form' | 'json' | 'query';
  readonly moreFields?: Readonly<Record<string, string>>;
  /** Where the access token goes. */
  readonly place: 'bearer' | { readonly query: string };
  /** Whether an answer says that the token has expired, beside status 401. */
  readonly isExpired?: (answer: CrmAnswer) => boolean;
};
