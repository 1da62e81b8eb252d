import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { readBridges, readChannels } from '../../src/asterisk/ari-frame.js';
import { reconcile, type Snapshot } from '../../src/asterisk/reconcile.js';
import type { StreamEntry } from '../../src/asterisk/raw-stream/stream-entry.js';
import type { Fact } from '../../src/calls/domain/fact.js';
import type { Told } from '../../src/calls/ledger/told.js';
import { newId } from '../../src/common/ids.js';
import { Chance } from './chance.js';
import type { Fixture } from './fixture.js';
import { mutate, mutateValue } from './mutate.js';
import { ReplayLedger, toldByFrame, toldByUs } from './replay.js';
import { StrictStore } from './strict-store.js';

export type FuzzFigures = {
  readonly frames: number;
  /** Frames that were passed over as no events; the others went on into records. */
  readonly badFrames: number;
  /** Frames that told something of a call. */
  readonly told: number;
  readonly calls: number;
  /** What the code threw, and what the database would have refused. None is allowed. */
  readonly faults: readonly string[];
  /** Heap in use after collection, at even distances, MB. */
  readonly heapMb: readonly number[];
  readonly seconds: number;
};

type Frame = Extract<StreamEntry, { kind: 'frame' }>;

/** Mutated frames in one call's life; about ten times what a call has. */
const FRAMES_A_CALL = 300;
/** Nobody looks for a call again so long after its end, ms. */
const BETWEEN_CALLS_MS = 61_000;
const MOST_FAULTS = 20;
const HEAP_SAMPLES = 10;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/**
 * Mutated frames through parse, translate, ledger and fold. Each call of a fixture gets its frames mutated, then the true
 * ones, then a look at a switch that has nothing any more: after that it has to be over.
 */
export async function fuzz(
  fixtures: readonly Fixture[],
  options: { readonly seed: number; readonly frames: number; readonly limitMs: number },
): Promise<FuzzFigures> {
  const startedAt = performance.now();
  const chance = new Chance(options.seed);
  const store = new StrictStore();
  const target = new ReplayLedger([], store);
  const faults: string[] = [];
  const heapMb: number[] = [];
  const counts = { frames: 0, badFrames: 0, told: 0, calls: 0 };
  let now = fixtures[0]?.entries[0]?.at ?? 0;
  const [{ node } = { node: '' }] = fixtures[0]?.entries ?? [];

  const note = (fault: unknown): void => {
    if (faults.length < MOST_FAULTS)
      faults.push(fault instanceof Error ? (fault.stack ?? fault.message) : String(fault));
  };
  const hear = (entry: Frame): void => {
    counts.frames++;
    try {
      const told = toldByFrame(entry);
      if (told === 'bad') counts.badFrames++;
      else if (told !== null) {
        counts.told++;
        target.tell(told, now);
      }
    } catch (error) {
      note(error);
      note(entry.text);
    }
  };

  while (counts.frames < options.frames && performance.now() - startedAt < options.limitMs) {
    if (counts.frames >= (heapMb.length * options.frames) / HEAP_SAMPLES) heapMb.push(heapInUse());
    const entries = asAnotherCall(chance.pick(fixtures).entries, node, counts.calls++);
    const frames = entries.filter((entry) => entry.kind === 'frame');
    const texts = frames.map(({ text }) => text);
    target.learn(entries);
    for (const entry of entries) if (entry.kind === 'told') target.tell(toldByUs(entry), now);
    for (let i = 0; i < FRAMES_A_CALL; i++) {
      const frame = chance.pick(frames);
      hear({ ...frame, text: mutate(frame.text, texts, chance) });
      if (chance.isBelow(0.01)) await compareWith(target, node, mutatedSnapshot(frames, chance), now).catch(note);
      // Now in one commit, now each in its own.
      if (chance.isBelow(0.1)) await target.ledger.settled();
    }
    for (const frame of frames) hear(frame);
    await target.ledger.settled();
    await endAll(target, node, frames, now);
    for (const call of target.ledger.openCallsOf(node))
      note(`call ${call.identity.id} stays open: ${JSON.stringify(call.document ?? 'without a record')}`);
    for (const refusal of store.refusals.splice(0)) note(refusal);
    target.calls.clear();
    target.told.length = 0;
    target.forgetLines();
    now += BETWEEN_CALLS_MS;
    // With the next thing it is told the ledger forgets what is over, and then the store may.
    target.tell({ nodeId: node, boot: '', leg: 'nobody', facts: [], receivedAt: null }, now);
    await target.ledger.settled();
    store.forgetEnded();
  }
  heapMb.push(heapInUse());
  return { ...counts, faults, heapMb, seconds: Math.round((performance.now() - startedAt) / 100) / 10 };
}

/** The same stream with ids of its own, on one node. */
function asAnotherCall(entries: readonly StreamEntry[], node: string, n: number): StreamEntry[] {
  let text = JSON.stringify(entries.map((entry) => ({ ...entry, node })));
  for (const entry of entries) {
    if (entry.kind === 'routed') text = text.replaceAll(entry.leg, `${entry.leg}${n}`);
    const callId = entry.kind === 'routed' ? entry.callId : entry.kind === 'told' ? entry.told.call?.id : null;
    if (callId != null) text = text.replaceAll(callId, newId());
  }
  return JSON.parse(text) as StreamEntry[];
}

/** What the director and reconcile do with a call whose legs are gone from the switch. */
async function endAll(
  target: ReplayLedger,
  nodeId: string,
  frames: readonly StreamEntry[],
  now: number,
): Promise<void> {
  const { ledger } = target;
  const { boot = '', app = '' } = frames[0] ?? {};
  const takenAt = Date.parse('2199-12-31T00:00:00Z');
  await compareWith(target, nodeId, { boot, app, channels: [], bridges: [], takenAt }, now);
  for (const call of ledger.openCallsOf(nodeId)) {
    for (const { id: leg, createdAt } of call.state?.legs ?? []) {
      if (createdAt !== null) continue;
      const data = { reason: 'unknown', text: 'never made' } as const;
      const refused: Fact = { leg, kind: 'refused', key: '', at: now, source: 'ringline', data };
      const { id, tenantId } = call.identity;
      const told: Told = { nodeId, boot: call.boot, leg, facts: [refused], receivedAt: null, call: { id, tenantId } };
      target.tell(told, now);
    }
  }
  await ledger.settled();
}

async function compareWith(target: ReplayLedger, nodeId: string, snapshot: Snapshot, now: number): Promise<void> {
  await target.ledger.settled();
  for (const told of reconcile(snapshot, target.ledger.openCallsOf(nodeId), 'all', now).told)
    target.tell({ nodeId, receivedAt: null, ...told }, now);
  await target.ledger.settled();
}

/** What a list of channels and bridges may be made into; read as the session reads it. */
function mutatedSnapshot(frames: readonly Frame[], chance: Chance): Snapshot {
  const { boot, app, at } = frames[0] as Frame;
  const texts = frames.map(({ text }) => text);
  const parts = texts.map((text) => mutatedParts(text, texts, chance));
  return {
    boot,
    app,
    takenAt: at,
    channels: readChannels(parts.map(({ channel }) => channel)),
    bridges: readBridges(parts.map(({ bridge }) => bridge)),
  };
}

function mutatedParts(text: string, texts: readonly string[], chance: Chance): Record<string, unknown> {
  const frame = JSON.parse(text) as Record<string, unknown>;
  mutateValue(frame, texts, chance);
  return frame;
}

function heapInUse(): number {
  collect();
  return Math.round(process.memoryUsage().heapUsed / 100_000) / 10;
}
