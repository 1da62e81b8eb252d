import type { CallLedger } from '../../calls/ledger/call-ledger.js';
import type { Log } from '../../common/logger.js';
import { pause } from '../../common/pause.js';
import type { AriChannel, AriFrame } from '../ari-frame.js';
import type { AsteriskMetrics } from '../asterisk-metrics.js';
import type { NodeSettings } from '../node-session.js';
import { openAriSession, type AriSession } from '../session/ari-session.js';
import type { AriCommands } from '../session/commands.js';
import type { StartUpReport } from '../start-up-report.js';
import type { ControlledLegs } from './controlled-legs.js';
import { observedTypes, translateObserved, type Observation } from './translate-observed.js';

const RETRY_MS = 2_000;
/** After another client took our app name: it is not fought over. */
const HOLD_OFF_MS = 30_000;
/** How long a conversation that begins waits, ms: it may be one that the dial plan passes to Ringline at once. */
const GRACE_MS = 150;
const MODULE_OF_DEVICE_STATES = 'res_stasis_device_state.so';

/**
 * Ringline's second connection to one Asterisk: sees the calls that the dial plan makes by itself, and tells the ledger. It
 * only listens. What Ringline drives is left to the session that drives it.
 */
export class NodeObserver {
  readonly #seen = new Map<string, boolean>();
  /** Observations of conversations that have just begun, by the leg they began with. */
  readonly #waiting = new Map<string, { readonly observation: Observation; readonly receivedAt: number }[]>();
  readonly #stopping = new AbortController();
  #session: AriSession | null = null;
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
    /** Has the records compared with the switch: events may have been missed. */
    private readonly onConnected: () => void,
  ) {}

  /** Another app than the one that drives: each gets its own events. */
  get app(): string {
    return `${this.node.app}-obs-0`;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#session?.close('Ringline stops');
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const report = this.report();
      let pauseMs = RETRY_MS;
      if (report !== null && this.ledger.trouble() === null) {
        try {
          if ((await this.#follow(report)) === 'replaced') pauseMs = HOLD_OFF_MS;
        } catch (error) {
          this.log.warn(
            { scope: 'asterisk', node: this.node.name, error },
            'calls of the dial plan cannot be observed',
          );
        }
      }
      await pause(pauseMs, signal);
    }
  }

  /** Resolves when the connection ends. */
  async #follow(report: StartUpReport): Promise<'ended' | 'replaced'> {
    const life = { isReplaced: false };
    let end!: () => void;
    const ended = new Promise<void>((resolve) => (end = resolve));
    // With the device states of Stasis, an app that is subscribed to everything can block ARI when its socket closes.
    const subscribeAll = !report.modules.some(({ name, running }) => name === MODULE_OF_DEVICE_STATES && running);
    const session = await openAriSession(
      this.node,
      this.app,
      {
        skips: (text) => this.controlled.concern(text),
        onFrame: (frame, receivedAt) => {
          if (frame.type !== 'ApplicationReplaced') this.#onFrame(frame, receivedAt, report.boot);
          else {
            life.isReplaced = true;
            this.#session?.close('another client uses the app name of the observer');
          }
        },
        onBadFrame: () => this.metrics.badFrames.inc(),
        onClosed: () => end(),
      },
      subscribeAll,
    );
    this.#session = session;
    this.#seen.clear();
    if (this.#stopping.signal.aborted) session.close('Ringline stops');
    await this.commands.send('PUT', `/applications/${encodeURIComponent(this.app)}/eventFilter`, {
      allowed: observedTypes.map((type) => ({ type })),
    });
    if (!subscribeAll)
      await this.commands.send(
        'POST',
        `/applications/${encodeURIComponent(this.app)}/subscription?eventSource=endpoint%3APJSIP`,
      );
    this.log.info({ scope: 'asterisk', node: this.node.name, app: this.app }, 'observing the calls of the dial plan');
    this.onConnected();
    await ended;
    this.#session = null;
    return life.isReplaced ? 'replaced' : 'ended';
  }

  #onFrame(frame: AriFrame, receivedAt: number, boot: string): void {
    this.metrics.frames.inc();
    for (const observation of translateObserved(frame, receivedAt, (channel) => this.#isNew(channel))) {
      const { linkedId } = observation.sighting;
      this.#releaseOthers(observation, boot);
      const waiting = this.#waiting.get(linkedId);
      if (waiting !== undefined) waiting.push({ observation, receivedAt });
      else if (frame.type === 'ChannelCreated' && observation.leg === linkedId) {
        this.#waiting.set(linkedId, [{ observation, receivedAt }]);
        setTimeout(() => this.#release(linkedId, boot), GRACE_MS);
      } else this.#tell(observation, receivedAt, boot);
      if (frame.type === 'ChannelDestroyed') this.#seen.delete(observation.leg);
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

  /** The first frame of a leg tells what it is, and the first that has its SIP Call-ID tells that. */
  #isNew({ id, protocol_id: sipCallId }: AriChannel): boolean {
    const isComplete = this.#seen.get(id);
    if (isComplete === true || (isComplete === false && !sipCallId)) return false;
    this.#seen.set(id, Boolean(sipCallId));
    return true;
  }
}
