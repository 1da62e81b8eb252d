import type { Fact } from '../../calls/domain/fact.js';
import type { CallLedger } from '../../calls/ledger/call-ledger.js';
import type { Arrival } from '../../calls/ledger/told.js';
import type { Log } from '../../common/logger.js';
import { Problem } from '../../common/problems.js';
import type { CelAnswer } from '../../pbx-nodes/cel.schema.js';
import type { AsteriskMetrics } from '../asterisk-metrics.js';
import type { NodeMemory, NodeRun } from '../node-memory.js';
import type { NodeWarning } from '../start-up-report.js';
import { isOurs, type Translation } from '../translate.js';
import { parseCelLine, type CelLine } from './cel-line.js';
import { CelTail } from './cel-tail.js';
import { translateCel } from './translate-cel.js';

/** Channels whose start was seen and whose end was not; more than a PBX carries at one time. */
const MOST_CHANNELS = 20_000;
const RETRY_AFTER_SECONDS = 2;

export type CelNode = { readonly id: string; readonly app: string };

/** All that one piece of the log tells of one leg. */
type Collected = {
  readonly boot: string;
  readonly leg: string;
  readonly facts: Fact[];
  arrival: Arrival | undefined;
  lines: number;
};

/** One Asterisk's channel event log, from its file or as it is sent: what its lines tell goes before the ledger. */
export class NodeCel {
  /** Channels that are not ours by name, from their start on: when that was, and whether they came into our app. */
  readonly #channels = new Map<string, { readonly startedAt: number; isInApp: boolean }>();
  #runs: readonly NodeRun[] = [];
  #tail: CelTail | null = null;
  #isStopped = false;

  /** @param presentBoot The run that is connected now; null while none is. */
  constructor(
    private readonly node: CelNode,
    private readonly presentBoot: () => string | null,
    private readonly ledger: CallLedger,
    private readonly memory: NodeMemory,
    private readonly metrics: AsteriskMetrics,
    private readonly log: Log,
  ) {}

  /** Follows this file from now on, or none. */
  async follow(file: string | null): Promise<void> {
    if (this.#isStopped || this.#tail?.file === file || (this.#tail === null && file === null)) return;
    await this.#tail?.stop();
    this.#tail = null;
    if (file === null) return;
    const { id } = this.node;
    this.#tail = new CelTail(
      file,
      (lines) => this.take(lines),
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
    this.#isStopped = true;
    await this.#tail?.stop();
  }

  /**
   * Stores what lines tell, and resolves when that is done.
   * @throws {Problem} `cel-not-taken`: nothing is lost when the same lines are given again
   */
  async take(lines: readonly string[]): Promise<CelAnswer> {
    const runs = await this.#knownRuns();
    const collected = new Map<string, Collected>();
    let unreadable = 0;
    for (const text of lines) {
      const line = parseCelLine(text);
      if (line === null) unreadable++;
      else this.#collect(line, runs, collected);
    }
    for (const { boot, leg, facts, arrival } of collected.values()) {
      this.ledger.tell({
        nodeId: this.node.id,
        boot,
        leg,
        facts,
        receivedAt: null,
        ...(arrival !== undefined && { arrival }),
      });
    }
    await this.ledger.settled();
    if (this.#isStopped) throw notTaken('Ringline is stopping');
    this.#assertStoring();
    const known = [...collected.values()].filter(
      ({ boot, leg }) => this.ledger.callOfLeg({ nodeId: this.node.id, boot }, leg) !== null,
    );
    const taken = known.reduce((sum, one) => sum + one.lines, 0);
    this.metrics.celLines.inc(lines.length);
    this.metrics.celUnreadable.inc(unreadable);
    this.metrics.celFacts.inc(known.reduce((sum, { facts }) => sum + facts.length, 0));
    return { taken, ignored: lines.length - unreadable - taken, unreadable };
  }

  #collect(line: CelLine, runs: readonly NodeRun[], collected: Map<string, Collected>): void {
    // Channel ids may repeat after a restart. What is older than the first run we know is no business of ours.
    const boot = runs.find(({ startedAt }) => startedAt <= line.at)?.boot;
    const translation = this.#translate(line);
    if (boot === undefined || translation === null) return;
    const { leg, facts, arrival } = translation;
    const key = `${boot}\n${leg}`;
    const one = collected.get(key) ?? { boot, leg, facts: [], arrival: undefined, lines: 0 };
    collected.set(key, one);
    one.facts.push(...facts);
    one.arrival ??= arrival;
    one.lines++;
  }

  #translate(line: CelLine): Translation | null {
    const { channel, event, at } = line;
    if (event === 'CHAN_START' && !isOurs({ id: channel })) {
      this.#channels.set(channel, { startedAt: at, isInApp: false });
      if (this.#channels.size > MOST_CHANNELS) this.#channels.delete([...this.#channels.keys()][0] as string);
    }
    const seen = this.#channels.get(channel);
    if (event === 'CHAN_END') this.#channels.delete(channel);
    const translation = translateCel(line, this.node.app, seen?.startedAt ?? null);
    if (seen === undefined) return translation;
    if (translation?.arrival !== undefined) seen.isInApp = true;
    // Of a channel whose start was not seen the ledger knows whether it is one of ours.
    return seen.isInApp ? translation : null;
  }

  /** Lines wait until it is sure which run of the switch wrote them. */
  async #knownRuns(): Promise<readonly NodeRun[]> {
    const boot = this.presentBoot();
    if (this.#isStopped || boot === null) throw notTaken('Ringline is not connected to this PBX now');
    this.#assertStoring();
    if (this.#runs[0]?.boot !== boot) this.#runs = await this.memory.runs(this.node.id);
    return this.#runs;
  }

  #assertStoring(): void {
    const trouble = this.ledger.trouble();
    if (trouble !== null) throw notTaken(trouble);
  }
}

function notTaken(why: string): Problem {
  return new Problem('cel-not-taken', {
    detail: `The lines are not taken: ${why}.`,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
