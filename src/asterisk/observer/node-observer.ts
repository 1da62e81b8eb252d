import type { CallLedger } from '../../calls/ledger/call-ledger.js';
import type { Log } from '../../common/logger.js';
import { pause } from '../../common/pause.js';
import type { AriFrame } from '../ari-frame.js';
import type { AsteriskMetrics } from '../asterisk-metrics.js';
import type { NodeSettings } from '../node-session.js';
import { openAriSession, type AriSession } from '../session/ari-session.js';
import type { AriCommands } from '../session/commands.js';
import { DEVICE_STATES, type NodeWarning, type StartUpReport } from '../start-up-report.js';
import type { SwitchClock } from '../switch-clock.js';
import type { ControlledLegs } from './controlled-legs.js';
import { FirstSights } from './first-sights.js';
import { linkedIdOf, observedTypes, translateObserved, type Observation } from './translate-observed.js';

const RETRY_MS = 2_000;
/** After another client took our app name: it is not fought over. */
const HOLD_OFF_MS = 30_000;
/** How long a conversation that begins waits, ms: it may be one that the dial plan passes to Ringline at once. */
const GRACE_MS = 150;
/**
 * What the app is subscribed to: with nothing after the colon, to all of a kind. Not `subscribeAll`: that brings device states
 * too, whose module locks up ARI when the socket closes under load. Not `endpoint:PJSIP`: that brings no bridges, so that
 * nobody would be seen to talk.
 */
const EVENT_SOURCES = ['channel:', 'bridge:'] as const;

/**
 * Ringline's second connection to one Asterisk: sees the calls that the dial plan makes by itself, and tells the ledger. It
 * only listens. What Ringline drives is left to the session that drives it.
 */
export class NodeObserver {
  readonly #sights = new FirstSights();
  /** Observations of conversations that have just begun, by the leg they began with. */
  readonly #waiting = new Map<string, { readonly observation: Observation; readonly receivedAt: number }[]>();
  readonly #stopping = new AbortController();
  #session: AriSession | null = null;
  #isHearing = false;
  /** When the switch was last heard by a connection that has ended, ms. */
  #heardUntil: number | null = null;
  /** Why the calls of the dial plan are not seen; null while they are, and before the first try. */
  #failure: string | null = null;
  #lacksLinkedId = false;
  #running: Promise<void> | null = null;

  constructor(
    private readonly node: NodeSettings,
    private readonly commands: AriCommands,
    private readonly ledger: CallLedger,
    private readonly controlled: ControlledLegs,
    private readonly metrics: AsteriskMetrics,
    private readonly log: Log,
    /** What Asterisk said when it was last connected to; null while it is not. */
    private readonly report: () => StartUpReport | null,
    /** Has the records compared with the switch: events since then may have been missed; ms by our clock, null at first. */
    private readonly onConnected: (heardUntil: number | null) => void,
    private readonly clock: SwitchClock,
  ) {}

  /** Another app than the one that drives: each gets its own events. */
  get app(): string {
    return `${this.node.app}-obs-0`;
  }

  /** It is told what happens from now on. */
  get isHearing(): boolean {
    return this.#isHearing;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    void this.#session?.close('Ringline stops');
    await this.#running;
  }

  /** What an administrator should know of the node because it is observed. */
  warnings(): readonly NodeWarning[] {
    const report = this.report();
    // Nothing is seen of a node that is not connected to, and its health says that already.
    if (report === null) return [];
    const warnings: NodeWarning[] = [];
    if (this.#failure !== null) {
      warnings.push({
        code: 'not-observing',
        detail: `Calls that the dial plan makes by itself are not seen: ${this.#failure}.`,
        remedy: `Ringline tries on by itself. See that no other program uses the app name ${this.app}, and Asterisk’s log.`,
      });
    }
    if (this.#lacksLinkedId) {
      warnings.push({
        code: 'linked-id-missing',
        detail: 'Events carry no CHANNEL(linkedid), so that nothing joins the channels of one call: none is recorded.',
        remedy:
          'In ari.conf, in [general], write channelvars=CHANNEL(linkedid) (beside what is there, after a comma), see that func_channel.so is loaded, and reload res_ari.so.',
      });
    }
    if (report.hasDeviceStates === true) {
      warnings.push({
        code: 'device-states-loaded',
        detail: `${DEVICE_STATES} is loaded. With it ARI can lock up when a program that is subscribed to everything closes its socket under load. Ringline is subscribed to channels and bridges only; other programs may not be.`,
        remedy: `Unless another program needs it, write noload=${DEVICE_STATES} in modules.conf, and restart Asterisk when it may be.`,
      });
    }
    return warnings;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const report = this.report();
      let pauseMs = RETRY_MS;
      if (report !== null && this.ledger.trouble() === null) {
        try {
          const end = await this.#follow(report);
          this.#failure = end.reason;
          if (end.isReplaced) pauseMs = HOLD_OFF_MS;
        } catch (error) {
          this.#failure = (error as Error).message;
          this.log.warn(
            { scope: 'asterisk', node: this.node.name, error },
            'calls of the dial plan cannot be observed',
          );
        }
      }
      await pause(pauseMs, signal);
    }
  }

  /** Resolves when the connection ends. @throws {Error} when it cannot be opened, or the node does not subscribe it. */
  async #follow(report: StartUpReport): Promise<{ readonly reason: string; readonly isReplaced: boolean }> {
    const life = { isReplaced: false };
    let end!: (reason: string) => void;
    const ended = new Promise<string>((resolve) => (end = resolve));
    // Frames may come as soon as it is open.
    this.#sights.clear();
    this.#lacksLinkedId = false;
    const steady = this.clock.listen();
    const session = await openAriSession(this.node, this.app, {
      skips: (text) => this.controlled.concern(text),
      onFrame: (heard, receivedAt) => {
        const frame = steady(heard);
        if (frame.type !== 'ApplicationReplaced') this.#onFrame(frame, receivedAt, report.boot);
        else {
          life.isReplaced = true;
          void this.#session?.close('another program took its app name');
        }
      },
      onBadFrame: () => this.metrics.badFrames.inc(),
      onClosed: (reason) => end(reason),
    });
    this.#session = session;
    if (this.#stopping.signal.aborted) void session.close('Ringline stops');
    try {
      const app = `/applications/${encodeURIComponent(this.app)}`;
      // Without a filter more comes than is read, which is no harm.
      await this.commands.send('PUT', `${app}/eventFilter`, { allowed: observedTypes.map((type) => ({ type })) });
      for (const source of EVENT_SOURCES)
        await this.#subscribe(`${app}/subscription?eventSource=${encodeURIComponent(source)}`);
    } catch (error) {
      void session.close('it cannot be subscribed');
      this.#session = null;
      throw error;
    }
    this.#failure = null;
    this.#isHearing = true;
    this.log.info({ scope: 'asterisk', node: this.node.name, app: this.app }, 'observing the calls of the dial plan');
    this.onConnected(this.#heardUntil);
    const reason = await ended;
    this.#isHearing = false;
    this.#heardUntil = session.lastHeardAt;
    this.#session = null;
    return { reason, isReplaced: life.isReplaced };
  }

  async #subscribe(path: string): Promise<void> {
    const answer = await this.commands.send('POST', path);
    if (answer.kind !== 'answered') throw new Error(answer.text);
    if (answer.status !== 200) throw new Error(`the PBX answers ${answer.status} to its subscription`);
  }

  #onFrame(frame: AriFrame, receivedAt: number, boot: string): void {
    this.metrics.frames.inc();
    const told = frame.channel ?? frame.peer;
    if (told !== undefined) this.#lacksLinkedId = linkedIdOf(told) === null;
    for (const observation of translateObserved(frame, receivedAt, (channel) => this.#sights.of(channel))) {
      const { linkedId } = observation.sighting;
      this.#releaseOthers(observation, boot);
      const waiting = this.#waiting.get(linkedId);
      if (waiting !== undefined) waiting.push({ observation, receivedAt });
      else if (frame.type === 'ChannelCreated' && observation.leg === linkedId) {
        this.#waiting.set(linkedId, [{ observation, receivedAt }]);
        setTimeout(() => this.#release(linkedId, boot), GRACE_MS);
      } else this.#tell(observation, receivedAt, boot);
      if (frame.type === 'ChannelDestroyed') this.#sights.forget(observation.leg);
    }
  }

  /** A leg may become part of another conversation while its own one waits: what it did before comes first. */
  #releaseOthers({ leg, sighting: { linkedId } }: Observation, boot: string): void {
    for (const [root, waiting] of this.#waiting)
      if (root !== linkedId && waiting.some(({ observation }) => observation.leg === leg)) this.#release(root, boot);
  }

  #release(linkedId: string, boot: string): void {
    const waiting = this.#waiting.get(linkedId) ?? [];
    this.#waiting.delete(linkedId);
    if (this.controlled.has(linkedId)) return;
    for (const { observation, receivedAt } of waiting) this.#tell(observation, receivedAt, boot);
  }

  #tell(observation: Observation, receivedAt: number, boot: string): void {
    this.ledger.tell({ nodeId: this.node.id, boot, ...observation, receivedAt });
  }
}
