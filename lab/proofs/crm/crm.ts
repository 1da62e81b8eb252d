import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CrmCapabilities } from '../../../src/crm/port/crm-adapter.js';
import type { Limit } from '../../../src/crm/port/limit.js';
import { newId } from '../../../src/common/ids.js';
import { CrmLab } from '../../crm/crm-lab.js';
import type { CrmSimulator } from '../../crm/crm-simulator.js';
import { DeliveryLab } from '../../delivery-lab.js';
import { Chance } from '../../replay/chance.js';
import type { LabRingline } from '../../ringline.js';
import { waitFor } from '../../wait-for.js';
import { failAtRandom, type FaultCounts } from './faults.js';
import { judgeCrm, type CrmFigures } from './judge-crm.js';
import { pickKind, planCall, type PlannedAgent, type PlannedCall } from './plan-calls.js';
import { CallPlayer } from './play-calls.js';
import type { CallKind } from './told-call.js';
import { vendors, type Vendor } from './vendors.js';

export type CrmProofFigures = {
  readonly seed: number;
  readonly kills: number;
  readonly killEverySeconds: number;
  /** From the first call to the last change of one. */
  readonly seconds: number;
  /** From then until nothing was due; null when that did not come in time. */
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
const AGENTS = ['Anna Álvarez', 'Boris Бобров', 'Chloe Smith'];
const LINE = { id: newId(), number: '+442079460000', name: 'Sales' };
/** The share of numbers that the CRM knows. */
const KNOWN = 0.7;
/** After the missed call, s: it is over by then. */
const CALL_BACK_S = 12;

/** One connection with its simulator, which lives in this process: the one that is killed is another. */
type Site = {
  readonly vendor: Vendor;
  readonly crm: CrmSimulator;
  readonly capabilities: CrmCapabilities;
  readonly tenantId: string;
  readonly connectionId: string;
  readonly agents: readonly PlannedAgent[];
  readonly faults: FaultCounts;
  readonly chance: Chance;
  readonly planned: PlannedCall[];
};

/** Calls to every CRM while requests to it fail at random and the worker is killed time and again. */
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
  for (const [place, vendor] of vendors().entries()) sites.push(await open(lab, vendor, new Chance(seed + place)));
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

async function open(lab: CrmLab, vendor: Vendor, chance: Chance): Promise<Site> {
  const { adapter } = vendor;
  const crm = await vendor.start();
  const { delivery } = lab;
  const tenantId = await delivery.writer.addTenant();
  const settings = { ...crm.settings, ...vendor.settings };
  const capabilities = adapter.capabilities(adapter.settings.parse(settings));
  const agents: PlannedAgent[] = [];
  for (const [place, name] of AGENTS.entries()) {
    const email = `agent${place}@${adapter.name}.example`;
    const userId = crm.addUser({ name, email, extension: String(201 + place) });
    agents.push({ id: await lab.addAgent(tenantId, { name, email }), userId, name });
  }
  const [make] = capabilities.creates;
  const connectionId = await lab.connect(tenantId, adapter, settings, {
    recordings: capabilities.recording === 'link' ? 'link' : 'upload',
    ...(make !== undefined && { unknownCallers: [{ make }] }),
    ...(capabilities.tasks && { missedCalls: { task: 'user', userId: agents[0]?.userId ?? null } }),
  });
  const faults = failAtRandom(crm, chance, ({ path }) => path !== vendor.neverLost);
  return { vendor, crm, capabilities, tenantId, connectionId, agents, faults, chance, planned: [] };
}

async function playCalls(lab: CrmLab, site: Site, calls: number, withinSeconds: number | null): Promise<void> {
  const { vendor, tenantId, agents, crm, chance, planned } = site;
  const spanMs = Math.min(withinSeconds ?? Infinity, (calls * 60) / vendor.callsPerMinute) * 1000;
  const player = new CallPlayer(lab);
  const startedAt = Date.now();
  const callBacks: { readonly at: number; readonly missed: PlannedCall }[] = [];
  let numbers = 0;
  const plan = (kind: CallKind, given: { number: string; contactId: string | null } | null): PlannedCall => {
    const number = given?.number ?? `+4930${String(20_000_000 + numbers++)}`;
    const isKnown = given === null && chance.isBelow(KNOWN);
    const contact = isKnown ? crm.addContact({ name: `Customer ${numbers}`, numbers: [number] }) : null;
    const contactId = given?.contactId ?? contact?.id ?? null;
    const otherCallId = planned.at(-1)?.told.id ?? newId();
    const of = { tenantId, nodeId: lab.delivery.writer.nodeId, line: LINE, agents, contactId, number, otherCallId };
    const made = planCall(kind, { ...of, startedAt: new Date() }, chance);
    planned.push(made);
    return made;
  };
  await player.play((now) => {
    const isOver = planned.length + callBacks.length >= calls;
    if (isOver && callBacks.length === 0) return null;
    const fresh: PlannedCall[] = [];
    while (callBacks[0] !== undefined && callBacks[0].at <= now) {
      const { missed } = callBacks.shift() as (typeof callBacks)[number];
      fresh.push(plan('call-back', missed.told));
    }
    const due = Math.min(calls, ((now - startedAt) / spanMs) * calls);
    while (planned.length + callBacks.length < due) {
      const made = plan(pickKind(chance), null);
      fresh.push(made);
      if (made.told.kind === 'called-back') callBacks.push({ at: now + CALL_BACK_S * 1000, missed: made });
    }
    return fresh;
  });
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
    faults: { ...faults, expiredTokens },
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
