import { isOurs } from '../../calls/control/legs.js';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fact } from '../../calls/domain/fact.js';
import { otherEndOfWire } from '../../calls/domain/wire.js';
import type { CallLedger } from '../../calls/ledger/call-ledger.js';
import type { Arrival, Sighting } from '../../calls/ledger/told.js';
import type { Log } from '../../common/logger.js';
import { Problem } from '../../common/problems.js';
import type { CelAnswer } from '../../pbx-nodes/cel.schema.js';
import type { AsteriskMetrics } from '../asterisk-metrics.js';
import { nearEndId } from '../far-end.js';
import type { NodeMemory, NodeRun } from '../node-memory.js';
import type { NodeWarning } from '../start-up-report.js';
import type { SwitchClock } from '../switch-clock.js';
import type { Translation } from '../translate.js';
import { parseCelLine, type CelLine } from './cel-line.js';
import { observeCel } from './observe-cel.js';
import { CelTail } from './cel-tail.js';
import { translateCel } from './translate-cel.js';

/** Channels whose start was seen and whose end was not; more than a PBX carries at one time. */
const MOST_CHANNELS = 20_000;
const RETRY_AFTER_SECONDS = 2;
/**
 * What happens while we are connected is told by events first, ms: they know the SIP status of a leg that ends, without which
 * a call may come out otherwise. The log is often faster by some ms.
 */
const HEAD_START_MS = 1_000;

export type CelNode = {
  readonly id: string;
  readonly app: string;
  /** Calls that the dial plan makes by itself are recorded as well. */
  readonly observe: boolean;
};

/** The run of the switch that is connected now, since when, and what time it is; ms by its clock. */
export type PresentRun = { readonly boot: string; readonly connectedAt: number; readonly now: number };

/** All that one piece of the log tells of one leg. */
type Collected = {
  readonly boot: string;
  readonly leg: string;
  readonly facts: Fact[];
  arrival: Arrival | undefined;
  /** How the leg was seen: first, and each time it was counted to another conversation. */
  readonly sightings: Sighting[];
  lines: number;
};

/** One Asterisk's channel event log, from its file or as it is sent: what its lines tell goes before the ledger. */
export class NodeCel {
  /** Channels that are not ours by id, from their start on: when that was, and whether they came into our app. */
  readonly #channels = new Map<string, { readonly startedAt: number; readonly name: string; isInApp: boolean }>();
  #runs: readonly NodeRun[] = [];
  #tail: CelTail | null = null;
  readonly #stopping = new AbortController();

  /** @param present Null while no run is connected. */
  constructor(
    private readonly node: CelNode,
    private readonly present: () => PresentRun | null,
    private readonly clock: SwitchClock,
    private readonly ledger: CallLedger,
    private readonly memory: NodeMemory,
    private readonly metrics: AsteriskMetrics,
    private readonly log: Log,
  ) {}

  /** Follows this file from now on, or none. */
  async follow(file: string | null): Promise<void> {
    if (this.#stopping.signal.aborted || this.#tail?.file === file || (this.#tail === null && file === null)) return;
    await this.#tail?.stop();
    this.#tail = null;
    if (file === null) return;
    const { id } = this.node;
    this.#tail = new CelTail(
      file,
      (lines, onEnd) => this.take(lines, onEnd),
      {
        read: async () => {
          const position = await this.memory.celPosition(id);
          return position?.file === file ? position : null;
        },
        keep: (position) => this.memory.keepCelPosition(id, { ...position, file }),
      },
      this.log,
    );
    this.#tail.start();
  }

  /** Resolves when the file was read to its end, after `limitMs` at the latest. */
  async caughtUp(limitMs: number): Promise<void> {
    await this.#tail?.caughtUp(limitMs);
  }

  /** How long ago the file was last read to its end, seconds; 0 when there is nothing to read. */
  get lagSeconds(): number {
    return this.#tail?.lagSeconds ?? 0;
  }

  warnings(): readonly NodeWarning[] {
    return this.#tail?.warnings() ?? [];
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#tail?.stop();
  }

  /**
   * Stores what lines tell, and resolves when that is done.
   * @param onPresent Called when what remains is of this moment: it waits for events to tell of it first.
   * @throws {Problem} `cel-not-taken`: nothing is lost when the same lines are given again
   */
  async take(lines: readonly string[], onPresent: () => void = () => undefined): Promise<CelAnswer> {
    const { connectedAt, now } = this.#presentRun();
    const read = lines.flatMap((text) => parseCelLine(text) ?? []).map((line) => this.#steady(line));
    const freshAfter = Math.max(connectedAt, now - HEAD_START_MS);
    const past = read.filter(({ at }) => at <= freshAfter);
    const fresh = read.filter(({ at }) => at > freshAfter);
    let taken = await this.#store(past);
    if (fresh.length > 0) {
      onPresent();
      const newest = Math.max(...fresh.map(({ at }) => at));
      const wait = Math.min(HEAD_START_MS, newest + HEAD_START_MS - now);
      await sleep(wait, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      taken += await this.#store(fresh);
    }
    const unreadable = lines.length - read.length;
    this.metrics.celLines.inc(lines.length);
    this.metrics.celUnreadable.inc(unreadable);
    return { taken, ignored: read.length - taken, unreadable };
  }

  #steady(line: CelLine): CelLine {
    return this.clock.setBackMs === 0 ? line : { ...line, at: this.clock.steady(line.at) };
  }

  /** @returns how many of the lines were about calls */
  async #store(lines: readonly CelLine[]): Promise<number> {
    const runs = await this.#knownRuns();
    const collected = new Map<string, Collected>();
    for (const line of lines) this.#collect(line, runs, collected);
    const { id: nodeId } = this.node;
    for (const { boot, leg, facts, arrival, sightings } of collected.values()) {
      const [sighting] = sightings;
      const told = { nodeId, boot, leg, facts, receivedAt: null };
      this.ledger.tell({ ...told, ...(arrival && { arrival }), ...(sighting && { sighting }) });
    }
    for (const { boot, leg, sightings } of collected.values())
      for (const sighting of sightings.slice(1))
        this.ledger.tell({ nodeId, boot, leg, facts: [], receivedAt: null, sighting });
    await this.ledger.settled();
    this.#presentRun();
    const known = [...collected.values()].filter(
      ({ boot, leg }) => this.ledger.callOfLeg({ nodeId, boot }, leg) !== null,
    );
    this.metrics.celFacts.inc(known.reduce((sum, { facts }) => sum + facts.length, 0));
    return known.reduce((sum, one) => sum + one.lines, 0);
  }

  #collect(line: CelLine, runs: readonly NodeRun[], collected: Map<string, Collected>): void {
    // Channel ids may repeat after a restart. What is older than the first run we know is no business of ours.
    const boot = runs.find(({ startedAt }) => startedAt <= line.at)?.boot;
    if (boot === undefined) return;
    const translation = this.#translate(line, boot);
    if (translation === null) return;
    const { leg, facts, arrival, sighting } = translation;
    const key = `${boot}\n${leg}`;
    const one: Collected = collected.get(key) ?? { boot, leg, facts: [], arrival: undefined, sightings: [], lines: 0 };
    collected.set(key, one);
    one.facts.push(...facts);
    one.arrival ??= arrival;
    const last = one.sightings.at(-1);
    if (sighting !== undefined && (last?.linkedId !== sighting.linkedId || sighting.called !== null))
      one.sightings.push(sighting);
    one.lines++;
  }

  #translate(line: CelLine, boot: string): (Translation & { readonly sighting?: Sighting }) | null {
    return this.#translateDriven(line, boot) ?? (this.node.observe ? observeCel(line) : null);
  }

  #translateDriven(line: CelLine, boot: string): Translation | null {
    const { channel, event, at, name } = line;
    if (event === 'CHAN_START' && !isOurs({ id: channel })) {
      this.#channels.set(channel, { startedAt: at, name, isInApp: false });
      if (this.#channels.size > MOST_CHANNELS) this.#channels.delete([...this.#channels.keys()][0] as string);
    }
    const seen = this.#channels.get(channel);
    if (event === 'CHAN_END') this.#channels.delete(channel);
    const near = this.#nearEndOf(line, boot);
    const translation = translateCel(line, this.node.app, seen?.startedAt ?? null, near);
    if (seen === undefined || near !== null) return translation;
    if (event === 'APP_START' && translation !== null) seen.isInApp = true;
    // Of a channel whose start was not seen the ledger knows whether it is one of ours.
    return seen.isInApp ? translation : null;
  }

  /** The leg at the near end of the wire whose far end a line tells of. One that is not ours matters when it ends. */
  #nearEndOf({ channel, event, linkedId, name }: CelLine, boot: string): string | null {
    const ours = nearEndId(channel);
    const other = otherEndOfWire(name);
    if (ours !== null || other === null || event !== 'HANGUP') return ours;
    const [seen] = [...this.#channels].find(([, one]) => one.isInApp && one.name === other) ?? [];
    if (seen !== undefined) return seen;
    // Ringline may have been started anew since the near end came.
    const call = this.ledger.callOfLeg({ nodeId: this.node.id, boot }, linkedId);
    return call?.state?.legs.find((leg) => leg.name === other)?.id ?? null;
  }

  async #knownRuns(): Promise<readonly NodeRun[]> {
    const { boot } = this.#presentRun();
    if (this.#runs[0]?.boot !== boot) this.#runs = await this.memory.runs(this.node.id);
    return this.#runs;
  }

  /** Lines wait until it is sure which run of the switch wrote them, and that what they tell is stored. */
  #presentRun(): PresentRun {
    if (this.#stopping.signal.aborted) throw notTaken('Ringline is stopping');
    const run = this.present();
    if (run === null) throw notTaken('Ringline is not connected to this PBX now');
    const trouble = this.ledger.trouble();
    if (trouble !== null) throw notTaken(trouble);
    return run;
  }
}

function notTaken(why: string): Problem {
  return new Problem('cel-not-taken', {
    detail: `The lines are not taken: ${why}.`,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
