import { join } from 'node:path';
import { quantile } from '../../../bench/statistics.js';
import { newId } from '../../../src/common/ids.js';
import { startSimulator } from '../../../src/crm/adapters/bitrix24/simulator.test-support.js';
import type { Limit } from '../../../src/crm/port/limit.js';
import { CrmLab } from '../../crm/crm-lab.js';
import type { CrmSimulator } from '../../crm/crm-simulator.js';
import { quickBitrix24, quickBucket } from '../../crm/quick-bitrix24.js';
import { DeliveryLab } from '../../delivery-lab.js';
import { Chance } from '../../replay/chance.js';
import { startRingline } from '../../ringline.js';
import { waitFor } from '../../wait-for.js';
import { storePast } from './past-calls.js';
import { planCall, type PlannedAgent, type PlannedCall } from './plan-calls.js';
import { CallPlayer } from './play-calls.js';
import { watchRequests } from './watch-requests.js';

export type BackfillFigures = {
  readonly calls: number;
  readonly limit: Limit;
  /** Requests within the limit that came while there was something to catch up on and the bucket was full. */
  readonly requests: number;
  readonly seconds: number;
  readonly requestsPerSecond: number;
  /** Of what the vendor allows in this time. */
  readonly shareOfAllowed: number;
  readonly violations: number;
  /** Of the past calls: objects that there are, and how many are missing or doubled. */
  readonly objects: number;
  readonly missing: number;
  readonly doubled: number;
  readonly live: {
    readonly calls: number;
    readonly callsPerSecond: number;
    /** From the commit of a call that rings to the first request for it, and to its pop, ms. */
    readonly firstRequestMs: Waits;
    readonly popMs: Waits;
    readonly withoutPop: number;
    readonly missing: number;
  };
  /** Rows that were not told in the end, and why. */
  readonly notDone: number;
  readonly why: readonly string[];
};
type Waits = { readonly p50: number; readonly p99: number; readonly max: number };

const ENTRY = 'lab/crm/main-with-quick-bitrix24.js';
const AGENTS = ['Anna Álvarez', 'Boris Бобров'];
const LINE = { id: newId(), number: '+442079460000', name: 'Sales' };
const LIVE_PER_SECOND = 1;
/** What the bucket takes at once is no rate: measured is what comes when it is full, ms after the beginning. */
const FILLING_MS = 8_000;
/** A past call costs four requests. */
const REQUESTS_PER_CALL = 4;
const AROUND_MS = 60_000;
const DAY_MS = 86_400_000;

/** Past calls are told to a CRM that allows so much and no more, while others ring. */
export async function proveCrmBackfill(options: {
  readonly seed: number;
  readonly calls: number;
  readonly report: (line: string) => void;
}): Promise<BackfillFigures> {
  const delivery = await DeliveryLab.start();
  const crm = await startSimulator({ limits: [quickBucket] });
  try {
    return await run(delivery, crm, options);
  } finally {
    await delivery.stop();
    await crm.stop();
  }
}

async function run(
  delivery: DeliveryLab,
  crm: CrmSimulator,
  { seed, calls, report }: Parameters<typeof proveCrmBackfill>[0],
): Promise<BackfillFigures> {
  const chance = new Chance(seed);
  const lab = new CrmLab(delivery, join(delivery.lab.dir, 'ringline', 'data', 'recordings'));
  const tenantId = await delivery.writer.addTenant();
  const agents: PlannedAgent[] = [];
  for (const [place, name] of AGENTS.entries()) {
    const email = `agent${place}@acme.example`;
    const userId = crm.addUser({ name, email });
    agents.push({ id: await lab.addAgent(tenantId, { name, email }), userId, name });
  }
  const past = await storePast(lab, crm, chance, { tenantId, agents, line: LINE, calls });
  const connectionId = await lab.connect(tenantId, quickBitrix24, crm.settings, {});
  const { databaseUrl } = delivery;
  const env = { LOG_LEVEL: 'warn', SECRET_KEY: delivery.secretKey };
  const ringline = await startRingline(delivery.lab, { databaseUrl, entry: ENTRY, env });
  await ringline.ready();

  const seen = watchRequests(crm);
  const now = Date.now();
  const range = { from: new Date(now - 60 * DAY_MS).toISOString(), to: new Date(now - DAY_MS).toISOString() };
  const answer = await ringline.call('POST', `/v1/crm-connections/${connectionId}/backfill`, { tenantId, body: range });
  const begunAt = Date.now();
  report(`the API answered ${answer.status}: ${JSON.stringify(answer.body)}`);

  const left = async (): Promise<number> => {
    const [row]: { count: number }[] = await delivery.source.query(
      `select count(*)::int as count from crm_sync where connection_id = $1 and priority = 4 and state = 'due'`,
      [connectionId],
    );
    return row?.count ?? Number.NaN;
  };
  const committed = new Map<string, number>();
  const live: PlannedCall[] = [];
  const player = new CallPlayer(lab, ({ call, type }, at) => {
    if (type === 'call.started') committed.set(call.id, at);
  });
  let isOver = false;
  const ringing = player.play((at) => {
    if (isOver) return null;
    const fresh: PlannedCall[] = [];
    while (live.length < ((at - begunAt) / 1000) * LIVE_PER_SECOND) {
      const of = { tenantId, nodeId: delivery.writer.nodeId, line: LINE, agents, otherCallId: newId() };
      const number = `+4930${String(30_000_000 + live.length)}`;
      const contactId = crm.addContact({ name: `Caller ${live.length}`, numbers: [number] }).id;
      const kind = chance.pick(['answered', 'answered', 'missed'] as const);
      const planned = planCall(kind, { ...of, contactId, number, startedAt: new Date() }, chance);
      live.push(planned);
      fresh.push(planned);
    }
    return fresh;
  });
  const timeoutMs = ((calls * REQUESTS_PER_CALL) / quickBucket.perSecond) * 2_000 + AROUND_MS;
  await waitFor(async () => (await left()) === 0, {
    what: 'past calls to be told',
    timeoutMs,
    everyMs: 1_000,
  }).catch(() => report('not all past calls were told in time'));
  const endedAt = Date.now();
  isOver = true;
  await ringing;
  const due = `select count(*)::int as count from crm_sync where connection_id = $1 and state <> 'done'`;
  const notDone = async (): Promise<number> => {
    const [row]: { count: number }[] = await delivery.source.query(due, [connectionId]);
    return row?.count ?? Number.NaN;
  };
  await waitFor(async () => (await notDone()) === 0, {
    what: 'live calls to be told',
    timeoutMs: AROUND_MS,
    everyMs: 500,
  }).catch(() => report('not all live calls were told in time'));
  const rest = await notDone();
  const reasons: { why: string }[] = await delivery.source.query(
    `select count(*) || ' ' || state || ' at ' || coalesce(failed_step, '') || ': ' || coalesce(failure, '') as why from crm_sync
     where connection_id = $1 and state <> 'done' group by state, failed_step, failure limit 10`,
    [connectionId],
  );
  await ringline.stop();

  const [from, until] = [begunAt + FILLING_MS, endedAt];
  const taken = seen.at.filter((at) => at >= from && at < until).length;
  const seconds = (until - from) / 1000;
  const objects = new Map<string, number>();
  for (const { externalId } of crm.calls()) objects.set(externalId ?? '', (objects.get(externalId ?? '') ?? 0) + 1);
  const waits = (first: ReadonlyMap<string, number>, keyOf: (call: PlannedCall) => string): number[] =>
    live.flatMap((call) => {
      const [at, asked] = [committed.get(call.told.id), first.get(keyOf(call))];
      return at === undefined || asked === undefined ? [] : [asked - at];
    });
  const pops = waits(seen.registered, ({ told }) => told.id);
  return {
    calls,
    limit: quickBucket,
    requests: taken,
    seconds: Math.round(seconds * 10) / 10,
    requestsPerSecond: Math.round((taken / seconds) * 10) / 10,
    shareOfAllowed: Math.round((taken / seconds / quickBucket.perSecond) * 1000) / 1000,
    violations: crm.violations,
    objects: past.filter((id) => objects.has(id)).length,
    missing: past.filter((id) => !objects.has(id)).length,
    doubled: [...objects.values()].filter((times) => times > 1).length,
    live: {
      calls: live.length,
      callsPerSecond: LIVE_PER_SECOND,
      firstRequestMs: waitsOf(waits(seen.searched, ({ told }) => told.number)),
      popMs: waitsOf(pops),
      withoutPop: live.length - pops.length,
      missing: live.filter(({ told }) => !objects.has(told.id)).length,
    },
    notDone: rest,
    why: reasons.map(({ why }) => why),
  };
}

function waitsOf(waits: readonly number[]): Waits {
  return { p50: quantile(waits, 0.5), p99: quantile(waits, 0.99), max: quantile(waits, 1) };
}

/** @param isTimed whether times are judged: beside other programs, and of few calls, they say little */
export function crmBackfillHeld(figures: BackfillFigures, isTimed: boolean): boolean {
  const { violations, missing, doubled, notDone, live, shareOfAllowed } = figures;
  const isWhole = violations + missing + doubled + notDone + live.missing + live.withoutPop === 0 && live.calls > 0;
  return isWhole && (!isTimed || (shareOfAllowed >= 0.9 && live.popMs.p99 < 100));
}
