import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Limit } from '../../../src/crm/port/limit.js';
import { CrmLab } from '../../crm/crm-lab.js';
import { DeliveryLab } from '../../delivery-lab.js';
import { Chance } from '../../replay/chance.js';
import type { LabRingline } from '../../ringline.js';
import { waitFor } from '../../wait-for.js';
import type { FaultCounts } from './faults.js';
import { judgeCrm, type CrmFigures } from './judge-crm.js';
import { openSite, playCalls, type Site } from './site.js';
import { vendors } from './vendors.js';

export type CrmProofFigures = {
  readonly seed: number;
  readonly kills: number;
  readonly killEverySeconds: number;
  /** From the first call to the last change of one. */
  readonly seconds: number;
  /** From then, when the faults end, until nothing was due; null when that did not come in time. */
  readonly settledSeconds: number | null;
  readonly adapters: readonly AdapterFigures[];
};

export type AdapterFigures = {
  readonly adapter: string;
  readonly calls: number;
  readonly callsPerMinute: number;
  readonly limits: readonly Limit[];
  readonly requests: number;
  readonly requestsPerCall: number;
  /** Requests beyond the vendor's limits, as the vendor counts. */
  readonly violations: number;
  readonly violationsPerThousand: number;
  readonly faults: FaultCounts & { readonly expiredTokens: number };
  /** Rows of calls that the CRM was never told of, in the end. */
  readonly stuck: { readonly due: number; readonly failed: number; readonly why: readonly string[] };
  readonly isEnabled: boolean;
} & CrmFigures;

export type CrmProofOptions = {
  readonly seed: number;
  /** Of each adapter. */
  readonly calls: number;
  /** Calls come in this time at most, or at the vendor's pace where that is slower. Null: at its pace. */
  readonly withinSeconds: number | null;
  readonly killEverySeconds: number;
  readonly settleMs: number;
  readonly report: (line: string) => void;
};

/** Where a recording's link leads; nobody asks for it. HubSpot takes secure links alone. */
const PUBLIC_URL = 'https://ringline.example';

/**
 * Calls to every CRM while requests to it fail at random and the worker is killed time and again; then both end, and all is to be
 * settled.
 */
export async function proveCrm(options: CrmProofOptions): Promise<CrmProofFigures> {
  const delivery = await DeliveryLab.start();
  const sites: Site[] = [];
  try {
    return await run(delivery, sites, options);
  } finally {
    await delivery.stop();
    for (const { crm } of sites) await crm.stop();
  }
}

async function run(delivery: DeliveryLab, sites: Site[], options: CrmProofOptions): Promise<CrmProofFigures> {
  const { seed, calls, withinSeconds, killEverySeconds, settleMs, report } = options;
  const lab = new CrmLab(delivery, join(delivery.lab.dir, 'worker', 'data', 'recordings'));
  for (const [place, vendor] of vendors().entries()) sites.push(await openSite(lab, vendor, new Chance(seed + place)));
  const worker = await delivery.worker({ env: { PUBLIC_URL } });

  const startedAt = Date.now();
  const struck = new AbortController();
  const striking = strike(worker, sites, { killEverySeconds, report }, struck.signal);
  try {
    await Promise.all(sites.map((site) => playCalls(lab, site, calls, withinSeconds)));
  } finally {
    struck.abort();
  }
  const { kills, expired } = await striking;
  // Where every tenth request fails, one row among hundreds may fail so often that it waits for minutes.
  for (const { faults } of sites) faults.heal();
  const overAt = Date.now();
  report(`all is told; waiting until nothing is due`);
  const due = async (): Promise<number> => {
    const [row]: { count: number }[] = await delivery.source.query(
      `select count(*)::int as count from crm_sync where state = 'due'`,
    );
    return row?.count ?? Number.NaN;
  };
  const settled = await waitFor(async () => (await due()) === 0, {
    what: 'nothing to be due',
    timeoutMs: settleMs,
    everyMs: 500,
  }).catch(() => false);
  const settledSeconds = settled ? Math.round((Date.now() - overAt) / 100) / 10 : null;
  const adapters = [];
  for (const site of sites) adapters.push(await figuresOf(delivery, site, expired));
  await worker.stop();
  const seconds = Math.round((overAt - startedAt) / 1000);
  return { seed, kills, killEverySeconds, seconds, settledSeconds, adapters };
}

/** Kills the worker time and again and starts it at once, until it is aborted; half way between, tokens expire. */
async function strike(
  worker: LabRingline,
  sites: readonly Site[],
  { killEverySeconds, report }: { killEverySeconds: number; report: (line: string) => void },
  signal: AbortSignal,
): Promise<{ readonly kills: number; readonly expired: number }> {
  const startedAt = Date.now();
  let [kills, expired] = [0, 0];
  const until = (seconds: number): Promise<boolean> =>
    sleep(Math.max(0, startedAt + seconds * 1000 - Date.now()), true, { signal }).catch(() => false);
  for (let at = killEverySeconds; ; at += killEverySeconds) {
    if (!(await until(at - killEverySeconds / 2))) break;
    for (const { crm } of sites) crm.expireTokens();
    expired += 1;
    if (!(await until(at))) break;
    await worker.kill();
    await worker.start();
    kills += 1;
    report(`${at} s: the worker was killed`);
  }
  return { kills, expired };
}

async function figuresOf(delivery: DeliveryLab, site: Site, expiredTokens: number): Promise<AdapterFigures> {
  const { vendor, crm, capabilities, connectionId, planned, faults } = site;
  const rows: { state: string; step: string | null; failure: string | null; count: number }[] =
    await delivery.source.query(
      `select state, failed_step as step, failure, count(*)::int as count from crm_sync
       where connection_id = $1 and state <> 'done' group by 1, 2, 3 order by 4 desc`,
      [connectionId],
    );
  const [connection]: { status: string }[] = await delivery.source.query(
    'select status from crm_connection where id = $1',
    [connectionId],
  );
  const count = (state: string): number =>
    rows.filter((row) => row.state === state).reduce((sum, row) => sum + row.count, 0);
  const requests = crm.requests.length;
  const told = planned.map((call) => call.told);
  const times = told.map(({ startedAt }) => startedAt.getTime());
  const minutes = (Math.max(...times) - Math.min(...times)) / 60_000;
  const held = { calls: crm.calls(), tasks: crm.tasks(), created: crm.created() };
  return {
    adapter: vendor.adapter.name,
    calls: planned.length,
    callsPerMinute: Math.round(planned.length / minutes),
    limits: capabilities.limits,
    requests,
    requestsPerCall: Math.round((requests / planned.length) * 10) / 10,
    violations: crm.violations,
    violationsPerThousand: Math.round((crm.violations / requests) * 1e5) / 100,
    faults: { ...faults.counts, expiredTokens },
    stuck: {
      due: count('due'),
      failed: count('failed'),
      why: rows.slice(0, 10).map(({ state, step, failure, count: n }) => `${n} ${state} at ${step}: ${failure}`),
    },
    isEnabled: connection?.status === 'enabled',
    ...judgeCrm(told, held, { ...capabilities, lacks: vendor.lacks }),
  };
}

/** Whether all that was promised held. What a lost answer may leave twice is no more than answers that were lost. */
export function crmHeld({ kills, settledSeconds, adapters }: CrmProofFigures): boolean {
  return (
    kills >= 1 &&
    settledSeconds !== null &&
    adapters.every(
      ({ stuck, isEnabled, violationsPerThousand, wrong, missing, doubled, extra, faults }) =>
        stuck.due + stuck.failed + missing + doubled + wrong.length === 0 &&
        isEnabled &&
        violationsPerThousand <= 1 &&
        extra.tasks + extra.notes + extra.created <= faults.lost + kills,
    )
  );
}
