import { Registry } from 'prom-client';
import { AsteriskMetrics } from '../../src/asterisk/asterisk-metrics.js';
import { NodeCel, type CelNode } from '../../src/asterisk/cel/node-cel.js';
import type { NodeMemory } from '../../src/asterisk/node-memory.js';
import { SwitchClock } from '../../src/asterisk/switch-clock.js';
import type { Fact } from '../../src/calls/domain/fact.js';
import type { CallLedger } from '../../src/calls/ledger/call-ledger.js';
import type { Told } from '../../src/calls/ledger/told.js';
import { createLog } from '../../src/common/logger.js';
import type { Chance } from './chance.js';

const none = (): number => 0;
// One for all runs: to make one takes as long as a tenth of a run.
const unread = new AsteriskMetrics({ registry: new Registry() }, none, none);
const log = createLog('silent');

/** Tells a ledger the lines of a node's log, as the service does that reads it, all of them past. */
export async function tellLog(
  ledger: CallLedger,
  node: CelNode & { readonly boot: string },
  lines: readonly string[],
): Promise<void> {
  const { boot } = node;
  const memory = { runs: () => Promise.resolve([{ boot, startedAt: 0 }]) } as unknown as NodeMemory;
  const clock = new SwitchClock();
  const cel = new NodeCel(
    node,
    () => ({ boot, connectedAt: Infinity, now: Infinity }),
    clock,
    ledger,
    memory,
    unread,
    log,
  );
  await cel.take(lines);
}

/** What the log tells of a leg too: frames that tell nothing else may be lost for good. */
const loggedToo: ReadonlySet<Fact['kind']> = new Set([
  'created',
  'entered',
  'originated',
  'answered',
  'joined',
  'parted',
  'passed-on',
  'voicemail',
  'hangup-asked',
  'cause',
  'left-control',
  'ended',
]);

/** Whether the log makes up for its loss: it neither began a call that Ringline acted on, nor was it our own. */
export function isLoggedToo(told: Told): boolean {
  return told.call === undefined && told.arrival === undefined && told.facts.every(({ kind }) => loggedToo.has(kind));
}

/** What is left of a stream of which some was lost for good: a part that differs from run to run. */
export function withLosses(told: readonly Told[], chance: Chance): Told[] {
  const losing = chance.next();
  return told.filter((one) => !isLoggedToo(one) || !chance.isBelow(losing));
}
