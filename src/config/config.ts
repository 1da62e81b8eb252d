import { isIP } from 'node:net';
import { isAbsolute } from 'node:path';
import { z } from 'zod';

const port = z.coerce.number().int().min(1).max(65535);
const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );

/** `host:port` or `[v6]:port`, as used by `METRICS_LISTEN`. */
const listenAddress = z.string().transform((text, context) => {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text);
  const parsed = port.safeParse(match?.[3]);
  if (!match || !parsed.success) {
    context.addIssue({ code: 'custom', message: 'must look like 127.0.0.1:9464' });
    return z.NEVER;
  }
  return { host: (match[1] ?? match[2]) as string, port: parsed.data };
});

const url = (...protocols: string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    message: `must be a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  });

function isAddressOrRange(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

/** BullMQ forbids `:` in queue names; the rest keeps Redis keys readable. */
const queueName = /^[A-Za-z0-9_.-]{1,64}$/;

const seconds = list
  .transform((items) => items.map(Number))
  .refine((items) => items.length > 0 && items.every((n) => Number.isInteger(n) && n >= 0 && n <= 604_800), {
    message: 'must be whole seconds separated by commas, such as 0,5,30,120',
  });

/**
 * Every setting Ringline has, as environment variables. `docs/settings.md` is generated from this table, and a test
 * compares docker-compose.yml with it.
 */
export const settingsSchema = z
  .object({
    NODE_ENV: z
      .enum(['production', 'development', 'test'])
      .default('development')
      .describe('`production` makes secrets and migrations strict.'),
    HOST: z.string().default('127.0.0.1').describe('Address the API listens on.'),
    PORT: port.default(3000).describe('Port the API listens on.'),
    PUBLIC_URL: url('http:', 'https:')
      .optional()
      .describe('How browsers and CRMs reach the API. Default: `http://HOST:PORT`.'),
    DATABASE_URL: url('postgres:', 'postgresql:').describe('PostgreSQL. Always needed.'),
    REDIS_URL: url('redis:', 'rediss:')
      .default('redis://127.0.0.1:6379')
      .describe('Redis or Valkey, `maxmemory-policy noeviction`.'),
    EVENT_QUEUES: list
      .refine((names) => names.every((name) => queueName.test(name)), {
        message: 'each name must match [A-Za-z0-9_.-]{1,64}',
      })
      .describe('Extra BullMQ queues that receive every call event, separated by commas.'),
    ROLE: z
      .enum(['all', 'worker'], {
        error: 'must be all or worker; api and telephony need several replicas, which are not supported yet',
      })
      .default('all')
      .describe('`all`, or `worker` for a process that only delivers webhooks and queue events.'),
    SECRET_KEY: z
      .string()
      .refine(
        (text) =>
          /^[0-9a-f]{64}$/i.test(text) ||
          (/^[A-Za-z0-9+/]{43}=$/.test(text) && Buffer.from(text, 'base64').length === 32),
        {
          message:
            'must be 32 bytes in hex (64 characters) or base64 (44 characters); `openssl rand -hex 32` makes one',
        },
      )
      .optional()
      .describe('Key that encrypts secrets at rest. Required in production; else generated into DATA_DIR/secret-key.'),
    DATA_DIR: z.string().min(1).default('./data').describe('Folder for generated keys, and for recordings.'),
    BOOTSTRAP_API_KEY: z
      .string()
      .min(32, { error: 'must have at least 32 characters' })
      .optional()
      .describe('First platform key. Else one is generated into DATA_DIR/bootstrap-key; production needs one of both.'),
    EGRESS_ALLOW: list.describe(
      'CIDRs and host:port that outgoing requests may reach over http or on private addresses.',
    ),
    CORS_ORIGINS: list
      .refine((origins) => origins.every((origin) => URL.canParse(origin) && new URL(origin).origin === origin), {
        error: 'each must be an origin such as https://crm.example.com, without a path',
      })
      .describe('Origins whose pages may call the API from a browser, separated by commas.'),
    TRUST_PROXY: list
      .refine((proxies) => proxies.every(isAddressOrRange), {
        error: 'each must be an address or a CIDR such as 10.0.0.0/8, or loopback, linklocal, uniquelocal',
      })
      .describe('Addresses or CIDRs of proxies whose X-Forwarded-For is believed.'),
    METRICS_LISTEN: listenAddress
      .default({ host: '127.0.0.1', port: 9464 })
      .describe('Where `/metrics` listens; never the public port.'),
    LOG_LEVEL: z
      .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
      .default('info')
      .describe('Least severe level that is logged.'),
    RECORD_ARI: z
      .string()
      .refine((path) => isAbsolute(path), { error: 'must be an absolute path, such as /var/lib/ringline/streams' })
      .optional()
      .describe(
        'Folder into which all that PBX nodes send is recorded, personal data included, for `npm run replay`. Off unless set.',
      ),
    RUN_MIGRATIONS: z
      .enum(['auto', 'off'])
      .optional()
      .describe(
        '`auto` runs pending migrations at start (default outside production); `off` refuses to serve and names the command.',
      ),
    WEBHOOK_RETRY_SECONDS: seconds
      .default([0, 5, 30, 120, 600, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400])
      .describe('Delay before each attempt of a webhook delivery. Its length is the number of attempts.'),
    RECORDING_RETRY_SECONDS: seconds
      .default([0, 5, 30, 120, 600, 1800])
      .describe(
        'Delay before each try to take a recording over that the PBX does not have, or not whole. Its length is the number of tries.',
      ),
  })
  .superRefine((settings, context) => {
    if (settings.NODE_ENV === 'production' && settings.SECRET_KEY === undefined) {
      context.addIssue({
        code: 'custom',
        path: ['SECRET_KEY'],
        message: 'is required in production; `openssl rand -hex 32` makes one',
      });
    }
  });

export type Settings = z.output<typeof settingsSchema>;

/** The frozen settings of this process. The only way code outside `config/` learns about the environment. */
export abstract class Config {
  abstract readonly production: boolean;
  abstract readonly http: {
    readonly host: string;
    readonly port: number;
    readonly publicUrl: string;
    readonly corsOrigins: readonly string[];
    readonly trustProxy: readonly string[];
  };
  abstract readonly databaseUrl: string;
  abstract readonly runMigrations: boolean;
  abstract readonly redisUrl: string;
  abstract readonly eventQueues: readonly string[];
  abstract readonly role: Settings['ROLE'];
  abstract readonly secretKey: string | undefined;
  abstract readonly dataDir: string;
  abstract readonly bootstrapApiKey: string | undefined;
  abstract readonly egressAllow: readonly string[];
  abstract readonly metrics: { readonly host: string; readonly port: number };
  abstract readonly logLevel: Settings['LOG_LEVEL'];
  /** Folder for recorded streams; undefined: nothing is recorded. */
  abstract readonly recordAri: string | undefined;
  abstract readonly webhookRetrySeconds: readonly number[];
  abstract readonly recordingRetrySeconds: readonly number[];
}

/** Settings that do not fit the schema. `message` names every wrong variable at once. */
export class SettingsError extends Error {
  constructor(readonly problems: readonly { readonly variable: string; readonly problem: string }[]) {
    super(`Wrong settings:\n${problems.map(({ variable, problem }) => `  ${variable}: ${problem}`).join('\n')}`);
  }
}

/**
 * Reads settings from `env`.
 * @throws {SettingsError} naming every variable that is missing or wrong.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  // An empty variable means "not set": compose files pass `${NAME:-}` for what the operator left out.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = settingsSchema.safeParse(given);
  if (!parsed.success) {
    throw new SettingsError(
      parsed.error.issues.map((issue) => ({
        variable: String(issue.path[0]),
        problem:
          given[String(issue.path[0])] === undefined && issue.code === 'invalid_type' ? 'is required' : issue.message,
      })),
    );
  }
  const settings = parsed.data;
  const production = settings.NODE_ENV === 'production';
  const host = settings.HOST.includes(':') ? `[${settings.HOST}]` : settings.HOST;
  return deepFreeze({
    production,
    http: {
      host: settings.HOST,
      port: settings.PORT,
      publicUrl: (settings.PUBLIC_URL ?? `http://${host}:${settings.PORT}`).replace(/\/+$/, ''),
      corsOrigins: settings.CORS_ORIGINS,
      trustProxy: settings.TRUST_PROXY,
    },
    databaseUrl: settings.DATABASE_URL,
    runMigrations: (settings.RUN_MIGRATIONS ?? (production ? 'off' : 'auto')) === 'auto',
    redisUrl: settings.REDIS_URL,
    eventQueues: settings.EVENT_QUEUES,
    role: settings.ROLE,
    secretKey: settings.SECRET_KEY,
    dataDir: settings.DATA_DIR,
    bootstrapApiKey: settings.BOOTSTRAP_API_KEY,
    egressAllow: settings.EGRESS_ALLOW,
    metrics: settings.METRICS_LISTEN,
    logLevel: settings.LOG_LEVEL,
    recordAri: settings.RECORD_ARI,
    webhookRetrySeconds: settings.WEBHOOK_RETRY_SECONDS,
    recordingRetrySeconds: settings.RECORDING_RETRY_SECONDS,
  });
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  return Object.freeze(value);
}
