import { isDeepStrictEqual } from 'node:util';
import { Redis } from 'ioredis';

import type { Call } from '../../src/calls/domain/call.js';
import { createDataSource } from '../../src/database/data-source.js';
import { CALL_EVENTS, QUEUE_PREFIX } from '../../src/queues/queues.js';

export type Stored = {
  /** Ids of all events. */
  readonly events: readonly string[];
  /**
   * What became of the delivery of each event, by its id: its status, and `gave way` where that is to a later one of its call which
   * was taken or still will be; its own tries had failed, or died with a worker.
   */
  readonly fates: ReadonlyMap<string, string>;
  /** Ids of the jobs that wait in the published queue. */
  readonly queued: ReadonlySet<string>;
  /** Of the calls that ended between two moments, ms since 1970: what was still learned of them after the second. */
  readonly newsOf: (from: number, until: number) => News;
};

/**
 * How long after it the last event was written, ms; zero where none was. Those that tell details alone count apart, which the log
 * does not have: they come when the kernel of the switch sends once more what was lost, which may take as long as the cut did.
 * `late`: what came too late, in words; at most ten.
 */
export type News = { readonly lastMs: number; readonly lastDetailMs: number; readonly late: readonly string[] };

/** All should be right so long after what was broken is whole, ms. */
export const HEALED_WITHIN_MS = 15_000;

type Row = {
  readonly id: string;
  readonly callId: string;
  readonly type: string;
  readonly at: Date;
  readonly ended: Date | null;
  readonly document: string;
};

/** What PostgreSQL and Redis hold when all is over. */
export async function readStore(databaseUrl: string, redisUrl: string): Promise<Stored> {
  const source = createDataSource(databaseUrl);
  await source.initialize();
  const redis = new Redis(redisUrl);
  try {
    const rows: Row[] = await source.query(
      `select e.id, e.call_id as "callId", e.type, e.created_at as at, c.ended_at as ended, e.document
         from call_event e join call c on c.tenant_id = e.tenant_id and c.id = e.call_id order by e.sequence`,
    );
    const fates: { id: string; fate: string }[] = await source.query(
      `select d.event_id as id, case when d.status = 'superseded' and exists (
           select from delivery later where later.endpoint_id = d.endpoint_id and later.call_id = d.call_id
             and later.sequence > d.sequence and later.status in ('delivered', 'pending'))
         then 'gave way' else d.status end as fate
       from delivery d`,
    );
    const queued = await redis.lrange(`${QUEUE_PREFIX}:${CALL_EVENTS}:wait`, 0, -1);
    return {
      events: rows.map(({ id }) => id),
      fates: new Map(fates.map(({ id, fate }) => [id, fate])),
      queued: new Set(queued),
      newsOf: (from, until) => {
        const after = rows
          .filter(({ ended, at }) => ended !== null && +ended > from && +ended < until && +at > until)
          .map((row): [number, string, boolean] => [+row.at - until, ...changeBy(row, rows)]);
        const last = (isWanted: boolean): number =>
          Math.max(0, ...after.map(([ms, , isDetail]) => (isDetail === isWanted ? ms : 0)));
        const late = after.filter(([ms, , isDetail]) => !isDetail && ms > HEALED_WITHIN_MS);
        return {
          lastMs: last(false),
          lastDetailMs: last(true),
          late: late.slice(0, 10).map(([ms, words]) => `after ${ms} ms ${words}`),
        };
      },
    };
  } finally {
    redis.disconnect();
    await source.destroy();
  }
}

/** What an event changed in its call's record, in words, and whether that is nothing but details that the log does not have. */
function changeBy({ callId, type, at, document }: Row, all: readonly Row[]): [words: string, isDetail: boolean] {
  const earlier = all.filter((row) => row.callId === callId && row.at < at).at(-1);
  const [before, after] = [earlier?.document, document].map((text) => (text === undefined ? {} : readCall(text))) as [
    Partial<Call>,
    Partial<Call>,
  ];
  const changed = (Object.keys(after) as (keyof Call)[]).filter(
    (field) => field !== 'version' && !isDeepStrictEqual(before[field], after[field]),
  );
  const told = changed.map((field) => `${field}: ${JSON.stringify(before[field])} -> ${JSON.stringify(after[field])}`);
  const isDetail = isDeepStrictEqual(withoutDetails(before), withoutDetails(after));
  return [`${callId} ${type}: ${told.join('; ')}`, isDetail];
}

function readCall(document: string): Call {
  return (JSON.parse(document) as { data: { call: Call } }).data.call;
}

/** What stands in no log, or otherwise there: see docs/testing.md. */
function withoutDetails(call: Partial<Call>): object {
  const legs = call.legs?.map((leg) => ({ ...leg, q850: null, sip: null }));
  return { ...call, version: null, sipCallIds: null, legs, hangup: call.hangup?.by };
}
