import type { Redis } from 'ioredis';
import { createHash } from 'node:crypto';
import type { Bound } from './bounds.js';
import { DAY_MS, LEASE_MS, NEW_DAY_MS, OPEN_POLL_MS, type Taken } from './limit-state.js';

/** How long a process that asks counts as a replica, ms. */
const REPLICA_MS = 60_000;

/** The first key is the connection's hash, the first argument the time, or nothing. A clock that was set back makes no room. */
const momentLua = `local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local hash = KEYS[1]
local function get(field) return tonumber(redis.call('HGET', hash, field) or '') end
local function set(field, value) redis.call('HSET', hash, field, string.format('%.17g', value)) end
now = math.max(now, get('last') or 0)
set('last', now)
`;

/** Entries of a window are `when:cost:lease`, the oldest first; their sum is kept beside them. */
const windowLua = `
local function parse(entry) local at, c = string.match(entry, '^([^:]+):([^:]+):'); return tonumber(at), tonumber(c) end
local function sum(b, key)
  local all = get(b.key .. ':sum') or 0
  while true do
    local first = redis.call('LINDEX', key, 0)
    if not first then set(b.key .. ':sum', 0); return 0 end
    local at, c = parse(first)
    if at > now - b.ms then break end
    redis.call('LPOP', key)
    all = all - c
    set(b.key .. ':sum', all)
  end
  return all
end`;

/**
 * `LimitState` in Redis, for all replicas, by the clock of Redis.
 * KEYS: the hash of the connection, its replicas, and a key for each bound.
 * ARGV: now in ms, or nothing for the time of Redis; bounds; cost; lease; what was used past it of each bound; who asks.
 */
export const rateScript = `
${momentLua}local bounds, cost, lease, owed = cjson.decode(ARGV[2]), tonumber(ARGV[3]), ARGV[4], cjson.decode(ARGV[5])
local day = math.floor((now - ${NEW_DAY_MS}) / ${DAY_MS})

local function level(b) return math.max(0, (get(b.key .. ':level') or 0) - (now - (get(b.key .. ':at') or now)) * b.perMs) end
local function used(b) return get(b.key .. ':day') == day and get(b.key .. ':used') or 0 end
${windowLua}

local function wait(b, key)
  local need = math.min(cost, b.most)
  if b.kind == 'bucket' then
    local over = level(b) + need - b.most
    return over > 0 and over / b.perMs or 0
  elseif b.kind == 'window' then
    local over = sum(b, key) + need - b.most
    local pace = b.paceMs and math.max(0, (get(b.key .. ':pace') or 0) - b.slackMs - now) or 0
    local till, i = 0, 0
    while over > 0 do
      local entry = redis.call('LINDEX', key, i)
      if not entry then break end
      local at, c = parse(entry)
      over = over - c
      till = at + b.ms - now
      i = i + 1
    end
    return math.max(till, pace)
  elseif b.kind == 'daily' then
    return used(b) + need <= b.most and 0 or (day + 1) * ${DAY_MS} + ${NEW_DAY_MS} - now
  end
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  return redis.call('ZCARD', key) + 1 > b.most and ${OPEN_POLL_MS} or 0
end

local function count(b, key, given, name)
  local c = math.min(given, b.whole)
  if b.kind == 'bucket' then
    local l = level(b) + c
    set(b.key .. ':level', l)
    set(b.key .. ':at', now)
  elseif b.kind == 'window' then
    local all = sum(b, key)
    redis.call('RPUSH', key, string.format('%.17g:%.17g:%s', now, c, name))
    redis.call('PEXPIRE', key, math.ceil(b.ms) + 1000)
    set(b.key .. ':sum', all + c)
    if b.paceMs then set(b.key .. ':pace', math.max(now, get(b.key .. ':pace') or 0) + c * b.paceMs) end
  elseif b.kind == 'daily' then
    local u = used(b) + c
    set(b.key .. ':day', day)
    set(b.key .. ':used', u)
  else
    redis.call('ZADD', key, string.format('%.17g', now + ${LEASE_MS}), lease)
    redis.call('PEXPIRE', key, ${LEASE_MS + 1_000})
  end
end

for i, b in ipairs(bounds) do
  if b.paceMs == cjson.null then b.paceMs = nil end
  if owed[i] > 0 and b.kind ~= 'concurrent' then count(b, KEYS[i + 2], owed[i], '') end
end
local general = math.max(0, (get('closed') or 0) - now)
local longest = general
for i, b in ipairs(bounds) do
  local w = math.ceil(wait(b, KEYS[i + 2]))
  longest = math.max(longest, w)
  if not b.isOfLane then general = math.max(general, w) end
end
if longest == 0 then for i, b in ipairs(bounds) do count(b, KEYS[i + 2], cost, lease) end end
redis.call('PEXPIRE', hash, ${2 * DAY_MS})
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - ${REPLICA_MS})
redis.call('ZADD', KEYS[2], now, ARGV[6])
redis.call('PEXPIRE', KEYS[2], ${REPLICA_MS})
return { longest, general, redis.call('ZCARD', KEYS[2]), string.format('%.17g', now) }`;

/**
 * KEYS: the hash of the connection, and a key for each window. ARGV: now, or nothing; bounds of the windows; cost; lease; when it was
 * counted.
 */
export const answeredScript = `
${momentLua}${windowLua}
for i, b in ipairs(cjson.decode(ARGV[2])) do
  local key, c = KEYS[i + 1], math.min(tonumber(ARGV[3]), b.whole)
  local all = sum(b, key)
  if redis.call('LREM', key, 1, string.format('%s:%.17g:%s', ARGV[5], c, ARGV[4])) == 0 then set(b.key .. ':sum', all + c) end
  redis.call('RPUSH', key, string.format('%.17g:%.17g:%s', now, c, ARGV[4]))
  redis.call('PEXPIRE', key, math.ceil(b.ms) + 1000)
end
redis.call('PEXPIRE', hash, ${2 * DAY_MS})
return 0`;

/** KEYS: the hash of the connection. ARGV: now, or nothing; for how many ms. */
export const closeScript = `
${momentLua}set('closed', math.max(now + tonumber(ARGV[2]), get('closed') or 0))
redis.call('PEXPIRE', hash, ${2 * DAY_MS})
return 0`;

/** In braces, so that a cluster keeps all keys of a connection on one node. */
const keyOf = (connectionId: string, of: string): string => `ringline:rate:{${connectionId}}:${of}`;

export type Ask = {
  readonly connectionId: string;
  readonly bounds: readonly Bound[];
  readonly cost: number;
  readonly lease: string;
  /** Used past Redis, of each bound. */
  readonly owed: readonly number[];
  readonly replica: string;
  /** Given in tests; else the time of Redis. */
  readonly now?: number;
};

type Client = Pick<Redis, 'eval' | 'evalsha' | 'zrem'>;

/** `at`: when it was counted, as Redis writes it. */
export type TakenInRedis = Taken & { readonly replicas: number; readonly at: string };

export async function takeInRedis(redis: Client, ask: Ask): Promise<TakenInRedis> {
  const { connectionId, bounds, cost, lease, owed, replica, now } = ask;
  const keys = ['limits', 'replicas', ...bounds.map(({ key }) => key)].map((of) => keyOf(connectionId, of));
  const values = [now ?? '', JSON.stringify(bounds), cost, lease, JSON.stringify(owed), replica];
  const answer = await run(redis, rateScript, keys, values);
  const [waitMs, generalMs, replicas, at] = answer as readonly [number, number, number, string];
  return { waitMs, generalMs, replicas, at };
}

export async function closeInRedis(redis: Client, connectionId: string, ms: number, now?: number): Promise<void> {
  await run(redis, closeScript, [keyOf(connectionId, 'limits')], [now ?? '', ms]);
}

/** @param at when it was counted; null: it went past Redis, which has no window of it */
export async function leaveInRedis(
  redis: Client,
  {
    connectionId,
    bounds,
    cost,
    lease,
    at,
    now,
  }: Pick<Ask, 'connectionId' | 'bounds' | 'cost' | 'lease' | 'now'> & {
    readonly at: string | null;
  },
): Promise<void> {
  const open = bounds.filter(({ kind }) => kind === 'concurrent');
  const windows = at === null ? [] : bounds.filter((bound) => bound.kind === 'window' && bound.countsFromAnswer);
  const keys = ['limits', ...windows.map(({ key }) => key)].map((of) => keyOf(connectionId, of));
  const values = [now ?? '', JSON.stringify(windows), cost, lease, at ?? ''];
  await Promise.all([
    ...open.map(({ key }) => redis.zrem(keyOf(connectionId, key), lease)),
    ...(windows.length > 0 ? [run(redis, answeredScript, keys, values)] : []),
  ]);
}

const hashes = new Map(
  [rateScript, answeredScript, closeScript].map((text) => [text, createHash('sha1').update(text).digest('hex')]),
);

/** By its hash: Redis has it from the first time on, until it restarts. */
async function run(
  redis: Client,
  script: string,
  keys: readonly string[],
  values: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await redis.evalsha(hashes.get(script) ?? '', keys.length, ...keys, ...values);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return redis.eval(script, keys.length, ...keys, ...values);
  }
}
