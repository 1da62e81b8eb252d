import { crmAdapters } from '../../../src/crm/adapters/crm-adapters.js';
import { startSimulator as startAmocrm } from '../../../src/crm/adapters/amocrm/simulator.test-support.js';
import { startSimulator as startBitrix24 } from '../../../src/crm/adapters/bitrix24/simulator.test-support.js';
import { startSimulator as startPipedrive } from '../../../src/crm/adapters/pipedrive/simulator.test-support.js';
import type { CrmAdapter } from '../../../src/crm/port/crm-adapter.js';
import { kitEntries } from '../../../test/contract/crm-adapters/adapters.js';
import type { KitEntry } from '../../../test/contract/crm-adapters/kit/scene.js';
import type { CrmSimulator } from '../../crm/crm-simulator.js';

/** A CRM as a proof runs it: the main variant of its adapter, and its simulator with the vendor's limits on. */
export type Vendor = {
  readonly adapter: CrmAdapter;
  readonly start: () => Promise<CrmSimulator>;
  /** Besides those that the simulator gives. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly lacks: NonNullable<KitEntry['lacks']>;
  /** Calls that are told to it, on average, in a long run. */
  readonly callsPerMinute: number;
  /** The answer of this endpoint is never lost: its refresh tokens are good once, and who loses one has to connect anew. */
  readonly neverLost: string | null;
};

type Own = Partial<Pick<Vendor, 'start' | 'settings' | 'lacks' | 'callsPerMinute' | 'neverLost'>>;

/** A call takes up to ten requests, with what goes wrong on the way. */
const CALLS_PER_MINUTE = 60;

/** Where the kit runs a simulator without limits, or they allow fewer calls. */
const own: Readonly<Record<string, Own>> = {
  // 5 requests a second; all other plans have 2, and the same way of counting.
  bitrix24: {
    start: () => startBitrix24({ limits: [{ kind: 'bucket', capacity: 250, perSecond: 5 }] }),
    settings: { plan: 'enterprise' },
    callsPerMinute: 36,
  },
  // 7 requests a second.
  amocrm: { start: () => startAmocrm(), callsPerMinute: 48, neverLost: '/oauth2/access_token' },
  // SuiteCRM keeps whole minutes.
  json: { lacks: ['seconds'] },
  // The burst of its largest plan, and the tokens of many seats: a call with what goes wrong takes some hundred.
  pipedrive: { start: () => startPipedrive({ burst: 120, dailyTokens: 3_000_000 }) },
};

/** Every adapter of the product, by the list of the conformance kit. */
export function vendors(): readonly Vendor[] {
  return crmAdapters.map((adapter) => {
    const entry = kitEntries.find((one) => one.adapter.name === adapter.name);
    if (entry === undefined) throw new Error(`the conformance kit has no ${adapter.name}`);
    const its = own[adapter.name] ?? {};
    return {
      adapter,
      start: its.start ?? entry.startSimulator,
      settings: its.settings ?? {},
      lacks: [...(entry.lacks ?? []), ...(its.lacks ?? [])],
      callsPerMinute: its.callsPerMinute ?? CALLS_PER_MINUTE,
      neverLost: its.neverLost ?? null,
    };
  });
}
