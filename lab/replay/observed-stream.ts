import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import type { CommittedChange } from '../../src/calls/after-commit.js';
import type { Call } from '../../src/calls/domain/call.js';
import type { CallEvent } from '../../src/calls/domain/call-event.js';
import { FactSet } from '../../src/calls/domain/call-state.js';
import type { Fact } from '../../src/calls/domain/fact.js';
import type { CallIdentity } from '../../src/calls/domain/fold.js';
import { foldObserved } from '../../src/calls/domain/fold-observed.js';
import { gatherObserved } from '../../src/calls/domain/observed.js';
import { CallLedger } from '../../src/calls/ledger/call-ledger.js';
import { LedgerMetrics } from '../../src/calls/ledger/ledger-metrics.js';
import type { CallStore } from '../../src/calls/ledger/ledger-store.js';
import type { Told } from '../../src/calls/ledger/told.js';
import { Routing, type Known, type OwnedLine, type Seen } from '../../src/calls/routing.js';
import { createLog } from '../../src/common/logger.js';
import { parseFrame } from '../../src/asterisk/ari-frame.js';
import { parseAriTime } from '../../src/asterisk/ari-time.js';
import { FirstSights } from '../../src/asterisk/observer/first-sights.js';
import { translateObserved } from '../../src/asterisk/observer/translate-observed.js';
import { ANNAS_MOBILE } from '../observed-company.js';
import { projectRoot } from '../project-root.js';
import { tellLog } from './told-log.js';

const folder = join(projectRoot, 'test/fixtures/observed');
const silent = createLog('silent');

/** Names of all that are kept: `<scenario>.<version of Asterisk>`. */
export function observedNames(): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.jsonl'))
    .map((file) => file.slice(0, -'.jsonl'.length))
    .toSorted();
}

export const TENANT = '00000000-0000-7000-8000-00000000000a';
export const NODE = { nodeId: '00000000-0000-7000-8000-00000000000b', boot: 'boot' };

function lineOf(number: string | null): OwnedLine | null {
  if (number?.startsWith('+493023125') !== true) return null;
  const id = `00000000-0000-7000-8000-${number.slice(1).padStart(12, '0').slice(-12)}`;
  return { tenantId: TENANT, id, number, name: number };
}

function agentAt(extension: string): { readonly tenantId: string; readonly agentId: string } {
  return { tenantId: TENANT, agentId: `00000000-0000-7000-8000-00000000${extension}` };
}

/** The lab's company: every phone from 1001 to 1010 is an agent's, one has a mobile phone besides, and the tenant has a line for all that is dialled outside. */
class Company extends Routing {
  routes(): Promise<never[]> {
    return Promise.resolve([]);
  }

  known(seen: readonly Seen[]): Promise<readonly Known[]> {
    return Promise.resolve(
      seen.map(({ endpoint, dialled, called, shown }) => ({
        line: lineOf(dialled),
        outboundLines: endpoint === 'trunk' ? [lineOf(shown)].filter((line) => line !== null) : [],
        calledAgents: called === ANNAS_MOBILE ? [agentAt('1001')] : [],
        device: endpoint !== null && /^10\d\d$/.test(endpoint) ? agentAt(endpoint) : null,
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
  /** The records that all facts of each call fold to. */
  readonly folded: readonly Call[];
  /** Calls that could not be written. */
  readonly parked: number;
  readonly events: ReadonlyMap<string, readonly CallEvent[]>;
  /** The record of a call, made anew from its facts in another order, each told up to three times. */
  readonly refold: (callId: string, random: () => number) => Call | null;
};

/**
 * What is told by the frames of `test/fixtures/observed/<name>.jsonl`, in their order.
 * @param missed So many at the beginning were not heard.
 */
export function observedTold(name: string, missed = 0): Told[] {
  const text = readFileSync(join(folder, `${name}.jsonl`), 'utf8');
  const sights = new FirstSights();
  return text
    .split('\n')
    .filter(Boolean)
    .slice(missed)
    .flatMap((line) => {
      const frame = parseFrame(line);
      if (frame === null) throw new Error(`${name} holds a frame that cannot be read: ${line.slice(0, 100)}`);
      const at = parseAriTime(frame.timestamp) ?? 0;
      return translateObserved(frame, at, (channel) => sights.of(channel)).map((told) => ({
        ...NODE,
        ...told,
        receivedAt: at,
      }));
    });
}

/** What Asterisk's log told of the same calls, line by line. */
export function observedLog(name: string): string[] {
  return readFileSync(join(folder, `${name}.csv`), 'utf8')
    .split('\n')
    .filter(Boolean);
}

// One for all: to make one takes as long as a tenth of a stream.
const unread = new LedgerMetrics({ registry: new Registry() });

const nowhere = {
  callsOfLegs: () => Promise.resolve(new Map()),
  load: () => Promise.resolve([]),
  loadOpen: () => Promise.resolve([]),
  commit: () => Promise.resolve(),
} as unknown as CallStore;

/**
 * Plays what was told to a new ledger.
 * @param togetherMs What came within so long is stored together, as it is where the ledger waits for more.
 * @param log What Asterisk's log tells after all of it.
 */
export async function play(
  told: readonly Told[],
  store: CallStore = nowhere,
  togetherMs = 0,
  log: readonly string[] = [],
): Promise<Outcome> {
  const clock = { at: told[0]?.receivedAt ?? 0 };
  const ledger = new CallLedger(store, new Company(), unread, { now: () => clock.at }, silent);
  const calls = new Map<string, Call>();
  const events = new Map<string, CallEvent[]>();
  const keep = ({ callId, call, events: news }: CommittedChange): void => {
    calls.set(callId, call);
    events.set(callId, [...(events.get(callId) ?? []), ...news.map(({ event }) => event)]);
  };
  ledger.subscribe([{ name: 'test', onCommit: (changes) => changes.forEach(keep) }], () => undefined);
  // As the service does that is started anew.
  await ledger.loadOpen(NODE.nodeId);
  for (const [i, one] of told.entries()) {
    clock.at = Math.max(clock.at, one.receivedAt ?? 0);
    ledger.tell(one);
    if ((told[i + 1]?.receivedAt ?? Infinity) - (one.receivedAt ?? 0) >= togetherMs) await ledger.settled();
  }
  if (log.length > 0) {
    await ledger.settled();
    await tellLog(ledger, { id: NODE.nodeId, boot: NODE.boot, app: 'ringline', observe: true }, log);
  }
  const refold: Outcome['refold'] = (callId, random) => {
    const live = ledger.peek(callId);
    if (live === null) return null;
    const facts = live.facts.flatMap((fact) => Array.from({ length: 1 + Math.floor(random() * 3) }, () => fact));
    const shuffled = facts.map((fact) => ({ fact, place: random() })).toSorted((a, b) => a.place - b.place);
    return foldOf(
      live.identity,
      shuffled.map(({ fact }) => fact),
    );
  };
  const folded = [...calls.keys()].flatMap((id) => {
    const live = ledger.peek(id);
    return live === null ? [] : (foldOf(live.identity, live.facts) ?? []);
  });
  return { calls: [...calls.values()], folded, parked: ledger.parkedCalls(), events, refold };
}

function foldOf(identity: CallIdentity, facts: readonly Fact[]): Call | null {
  const state = gatherObserved(identity.id, new FactSet(facts).values());
  return state === null ? null : foldObserved(identity, state, 1);
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
      (events.get(call.id) ?? []).map(({ type }) => type.replace('call.', '')).join(' '),
    ];
  });
}
