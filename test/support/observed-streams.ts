import { readFileSync } from 'node:fs';
import { Registry } from 'prom-client';
import type { CommittedChange } from '../../src/calls/after-commit.js';
import type { Call } from '../../src/calls/domain/call.js';
import type { CallEventType } from '../../src/calls/domain/call-event.js';
import { FactSet } from '../../src/calls/domain/call-state.js';
import { foldObserved } from '../../src/calls/domain/fold-observed.js';
import { gatherObserved } from '../../src/calls/domain/observed.js';
import { CallLedger } from '../../src/calls/ledger/call-ledger.js';
import { LedgerMetrics } from '../../src/calls/ledger/ledger-metrics.js';
import type { CallStore } from '../../src/calls/ledger/ledger-store.js';
import type { Told } from '../../src/calls/ledger/told.js';
import { Routing, type Known, type Seen } from '../../src/calls/routing.js';
import { createLog } from '../../src/common/logger.js';
import { parseFrame, type AriChannel } from '../../src/asterisk/ari-frame.js';
import { parseAriTime } from '../../src/asterisk/ari-time.js';
import { translateObserved } from '../../src/asterisk/observer/translate-observed.js';

export const TENANT = '00000000-0000-7000-8000-00000000000a';
export const NODE = { nodeId: '00000000-0000-7000-8000-00000000000b', boot: 'boot' };

/** The lab's company: every phone from 1001 to 1010 is an agent's, and the tenant has a line for all that is dialled outside. */
class Company extends Routing {
  routes(): Promise<never[]> {
    return Promise.resolve([]);
  }

  known(seen: readonly Seen[]): Promise<readonly Known[]> {
    return Promise.resolve(
      seen.map(({ endpoint, dialled }) => ({
        line:
          dialled?.startsWith('+493023125') === true
            ? {
                tenantId: TENANT,
                id: `00000000-0000-7000-8000-${dialled.slice(1).padStart(12, '0').slice(-12)}`,
                number: dialled,
                name: dialled,
              }
            : null,
        device: /^10\d\d$/.test(endpoint ?? '')
          ? { tenantId: TENANT, agentId: `00000000-0000-7000-8000-00000000${endpoint}` }
          : null,
        isTrunk: false,
        defaultTenantId: null,
        regions: { [TENANT]: 'DE' },
      })),
    );
  }
}

/** What a stream that was recorded in the lab makes: the records as they ended, and the events of each. */
export type Outcome = {
  readonly calls: readonly Call[];
  /** Calls that could not be written. */
  readonly parked: number;
  readonly events: ReadonlyMap<string, readonly CallEventType[]>;
  /** The record of a call, made anew from its facts in another order, each told up to three times. */
  readonly refold: (callId: string, random: () => number) => Call | null;
};

/** What is told by the frames of `test/fixtures/observed/<name>.jsonl`, in their order. */
export function observedTold(name: string): Told[] {
  const text = readFileSync(new URL(`../fixtures/observed/${name}.jsonl`, import.meta.url), 'utf8');
  const seen = new Map<string, boolean>();
  const isNew = ({ id, protocol_id: sip }: AriChannel): boolean => {
    const known = seen.get(id);
    if (known === true || (known === false && !sip)) return false;
    seen.set(id, Boolean(sip));
    return true;
  };
  return text
    .split('\n')
    .filter(Boolean)
    .flatMap((line) => {
      const frame = parseFrame(line);
      if (frame === null) throw new Error(`${name} holds a frame that cannot be read: ${line.slice(0, 100)}`);
      const at = parseAriTime(frame.timestamp) ?? 0;
      return translateObserved(frame, at, isNew).map((told) => ({ ...NODE, ...told, receivedAt: at }));
    });
}

const nowhere = {
  callsOfLegs: () => Promise.resolve(new Map()),
  load: () => Promise.resolve([]),
  loadOpen: () => Promise.resolve([]),
  commit: () => Promise.resolve(),
} as unknown as CallStore;

/**
 * Plays what was told to a new ledger.
 * @param togetherMs What came within so long is stored together, as it is where the ledger waits for more.
 */
export async function play(told: readonly Told[], store: CallStore = nowhere, togetherMs = 0): Promise<Outcome> {
  const clock = { at: told[0]?.receivedAt ?? 0 };
  const metrics = new LedgerMetrics({ registry: new Registry() });
  const ledger = new CallLedger(store, new Company(), metrics, { now: () => clock.at }, createLog('silent'));
  const calls = new Map<string, Call>();
  const events = new Map<string, CallEventType[]>();
  const keep = ({ callId, call, events: news }: CommittedChange): void => {
    calls.set(callId, call);
    events.set(callId, [...(events.get(callId) ?? []), ...news.map(({ event }) => event.type)]);
  };
  ledger.subscribe([{ name: 'test', onCommit: (changes) => changes.forEach(keep) }], () => undefined);
  for (const [i, one] of told.entries()) {
    clock.at = Math.max(clock.at, one.receivedAt ?? 0);
    ledger.tell(one);
    if ((told[i + 1]?.receivedAt ?? Infinity) - (one.receivedAt ?? 0) >= togetherMs) await ledger.settled();
  }
  const refold: Outcome['refold'] = (callId, random) => {
    const live = ledger.peek(callId);
    if (live === null) return null;
    const facts = live.facts.flatMap((fact) => Array.from({ length: 1 + Math.floor(random() * 3) }, () => fact));
    const shuffled = facts.map((fact) => ({ fact, place: random() })).toSorted((a, b) => a.place - b.place);
    const set = shuffled.map(({ fact }) => fact);
    const state = gatherObserved(callId, new FactSet(set).values());
    return state === null ? null : foldObserved(live.identity, state, 1);
  };
  return { calls: [...calls.values()], parked: ledger.parkedCalls(), events, refold };
}

/** Each record in three lines: what became of it, who took part, its events. */
export function summary({ calls, events }: Outcome): string[][] {
  return calls.map((call) => {
    const end = call.mergedInto === null ? `${call.outcome}/${call.outcomeReason} (${call.hangup?.by})` : 'merged';
    const name = (one: Call['participants'][number]): string =>
      one.number?.raw ?? one.device?.replace('PJSIP/', '') ?? '';
    return [
      `${call.direction} ${call.from.raw}>${call.to.raw} ${end}`,
      call.participants
        .map((one) => `${name(one)} ${one.role}`)
        .sort()
        .join(', '),
      (events.get(call.id) ?? []).map((type) => type.replace('call.', '')).join(' '),
    ];
  });
}
