import { isOurs } from '../calls/control/legs.js';
import type { Log } from '../common/logger.js';
import { pause } from '../common/pause.js';
import type { CallDirector } from '../calls/control/call-director.js';
import type { Fact } from '../calls/domain/fact.js';
import { gapFact } from '../calls/domain/gap.js';
import type { CallLedger } from '../calls/ledger/call-ledger.js';
import type { LiveCall } from '../calls/ledger/live-call.js';
import type { NodeHealth } from '../pbx-nodes/node-health.js';
import type { PhoneTransfers } from '../pbx-nodes/pbx-node.schema.js';
import { readChannels, type AriFrame } from './ari-frame.js';
import { parseAriTime } from './ari-time.js';
import type { AsteriskMetrics } from './asterisk-metrics.js';
import { NodeCel, type PresentRun } from './cel/node-cel.js';
import type { NodeMemory } from './node-memory.js';
import { reconcile, stasisArgs, type Snapshot } from './reconcile.js';
import type { StreamRecorder } from './raw-stream/stream-recorder.js';
import type { StreamContent } from './raw-stream/stream-entry.js';
import { ControlledLegs } from './observer/controlled-legs.js';
import { NodeObserver } from './observer/node-observer.js';
import type { Observation } from './observer/translate-observed.js';
import { unheardCalls } from './observer/unheard.js';
import { openAriSession, type AriSession } from './session/ari-session.js';
import { AriCommands, type AriNodeAddress } from './session/commands.js';
import { NodeRefused, readStartUpReport, type NodeWarning, type StartUpReport } from './start-up-report.js';
import { SwitchClock } from './switch-clock.js';
import { arrived, isPrivate, readTypes, translate } from './translate.js';

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;
/** After another client took our app name: it is not fought over. */
const HOLD_OFF_MS = 30_000;
const RECONCILE_EVERY_MS = 30_000;
/** The second look that makes a missing leg certain comes this soon. */
const SECOND_LOOK_MS = 2_000;
/** An orphan is removed when it was seen twice at least this far apart, ms: it may be on its way into a call. */
const ORPHAN_AFTER_MS = 10_000;
/** A clock that is further off than this is worth a warning, ms. */
const CLOCK_WARNING_MS = 2_000;

/** How often it is stored that the switch is followed, ms: the error of an end that nobody saw. */
const HEARTBEAT_MS = 5_000;
const WATCH_EVERY_MS = 250;
/** How long the switch's log may take to tell what happened meanwhile, before ends are inferred, ms. Callers may wait. */
const LOG_FIRST_MS = 1_500;
/** Name of an event that we have the switch send to us: it says what time it is there. */
const CLOCK_EVENT = 'ringline-clock';
/** One that took longer says too little, ms. */
const LONGEST_CLOCK_TURN_MS = 1_000;
const BAD_FRAME_LOG_EVERY_MS = 10_000;

export type NodeSettings = AriNodeAddress & {
  readonly id: string;
  readonly name: string;
  readonly app: string;
  /** Calls that the dial plan makes by itself are recorded as well. */
  readonly observe: boolean;
  /** Who carries out transfers that phones ask for. `auto`: Ringline, where that is safe. */
  readonly phoneTransfers: PhoneTransfers;
};

/**
 * Ringline's connection to one Asterisk: opens it, again and again; puts what its events tell before the ledger; compares
 * the records with the switch on every connect, every 30 s and on doubt; removes what we left behind.
 */
export class NodeSession {
  readonly commands: AriCommands;
  /** Rooms that were made and not closed in this session. */
  readonly rooms = new Set<string>();
  readonly #controlled = new ControlledLegs();
  readonly #clock = new SwitchClock((setBackMs) => this.#onSetBack(setBackMs));
  readonly #observer: NodeObserver | null;
  readonly cel: NodeCel;
  readonly #stopping = new AbortController();
  #session: AriSession | null = null;
  #report: StartUpReport | null = null;
  #connectedAt: number | null = null;
  #lastError: { readonly at: number; readonly detail: string; readonly code: string; readonly remedy: string } | null =
    null;
  #offsetMs = 0;
  /** When the switch was asked for its time and has not answered, ms. */
  #clockAskedAt: number | null = null;
  /** When the switch was last known to be as its events said, ms. */
  #aliveAt: number | null = null;
  #missing: ReadonlySet<string> | 'all' = 'all';
  readonly #orphans = new Map<string, number>();
  #reconciling: Promise<void> | null = null;
  #badFrameLoggedAt = 0;
  #loop: Promise<void> | null = null;
  #wake: () => void = () => undefined;

  constructor(
    readonly settings: NodeSettings,
    private readonly ledger: CallLedger,
    private readonly director: CallDirector,
    private readonly memory: NodeMemory,
    private readonly metrics: AsteriskMetrics,
    private readonly log: Log,
    private readonly recorder: StreamRecorder | null = null,
  ) {
    this.commands = new AriCommands(settings);
    this.#observer = settings.observe
      ? new NodeObserver(
          settings,
          this.commands,
          ledger,
          this.#controlled,
          metrics,
          log,
          () => (this.#session === null ? null : this.#report),
          (heardUntil) => this.#lookAgain(heardUntil),
          this.#clock,
        )
      : null;
    this.cel = new NodeCel(settings, () => this.#presentRun(), this.#clock, ledger, memory, metrics, log);
  }

  get app(): string {
    return this.settings.app;
  }

  /** Events tell all that happens: none was lost since the switch was compared with the records. */
  get #isUpToDate(): boolean {
    return this.#session !== null && this.#missing !== 'all';
  }

  /** Identifies the present run of the switch; null while no events come from it. */
  get boot(): string | null {
    return this.#session === null ? null : (this.#report?.boot ?? null);
  }

  /** Who carries out transfers that phones ask for. */
  get transfersBy(): 'ringline' | 'pbx' {
    const { phoneTransfers = 'impossible' } = this.#report ?? {};
    const wanted = this.settings.phoneTransfers;
    if (wanted === 'pbx' || phoneTransfers === 'impossible') return 'pbx';
    return wanted === 'ringline' || phoneTransfers === 'safe' ? 'ringline' : 'pbx';
  }

  #presentRun(): PresentRun | null {
    const { boot, clockOffsetMs } = this;
    if (boot === null || this.#connectedAt === null) return null;
    return { boot, connectedAt: this.#connectedAt + clockOffsetMs, now: Date.now() + clockOffsetMs };
  }

  /** Clock of the switch less ours, ms. Small differences are the network's. */
  get clockOffsetMs(): number {
    return Math.abs(this.#offsetMs) < 500 ? 0 : this.#offsetMs;
  }

  start(): void {
    this.#loop ??= this.#run();
    this.#observer?.start();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const closed = this.#session?.close('Ringline is stopping');
    this.#wake();
    await Promise.all([closed, this.#loop, this.cel.stop(), this.#observer?.stop()]);
    await this.#giveBackLateCallers().catch(() => undefined);
    await this.commands.close();
  }

  /** Callers whom the switch gave us until the socket was closed: nobody else would tell them apart from silence. */
  async #giveBackLateCallers(): Promise<void> {
    const boot = this.#report?.boot;
    if (boot === undefined) return;
    const answer = await this.commands.send('GET', '/channels');
    const channels = answer.kind === 'answered' && Array.isArray(answer.body) ? readChannels(answer.body) : [];
    for (const channel of channels) {
      const args = isOurs(channel) || channel.state === 'Up' ? null : stasisArgs(channel, this.app);
      if (args === null) continue;
      const node = { nodeId: this.settings.id, boot };
      const at = Date.now() + this.clockOffsetMs;
      const arrival = arrived(channel, args, at, 'reconcile');
      this.#record(boot, { kind: 'told', told: arrival });
      this.ledger.tell({ ...node, ...arrival, receivedAt: null });
      await this.ledger.settled();
      const callId = this.ledger.callOfLeg(node, channel.id)?.identity.id;
      if (callId !== undefined) {
        const data = { reason: 'service-stopped' } as const;
        const fact: Fact = { leg: callId, kind: 'handed-back', key: '', at, source: 'ringline', data };
        this.ledger.tell({ ...node, leg: callId, facts: [fact], receivedAt: null });
      }
      await this.commands.send('POST', `/channels/${encodeURIComponent(channel.id)}/continue`);
    }
  }

  health(): NodeHealth {
    const warnings: NodeWarning[] = [
      ...(this.#report?.warnings ?? []),
      ...this.cel.warnings(),
      ...(this.#observer?.warnings() ?? []),
    ];
    const { setBackMs } = this.#clock;
    const offMs = this.#offsetMs - setBackMs;
    if (setBackMs > 0) {
      warnings.push({
        code: 'clock-set-back',
        detail: `The clock of this PBX was set back by ${(setBackMs / 1000).toFixed(1)} s while calls were under way: until none is, the times of its calls go on as before.`,
        remedy: 'Run a time service (NTP) on it that slews its clock rather than setting it.',
      });
    }
    if (Math.abs(offMs) > CLOCK_WARNING_MS) {
      warnings.push({
        code: 'clock-offset',
        detail: `The clock of this PBX is ${(offMs / 1000).toFixed(1)} s off ours.`,
        remedy: 'Run a time service (NTP) on both hosts.',
      });
    }
    const connected = this.#session !== null;
    if (!connected && this.#lastError !== null) {
      warnings.push({ code: this.#lastError.code, detail: this.#lastError.detail, remedy: this.#lastError.remedy });
    }
    return {
      status: connected ? (warnings.length > 0 ? 'degraded' : 'up') : 'down',
      summary: connected
        ? `Connected to Asterisk ${this.#report?.version ?? ''}.`
        : (this.#lastError?.detail ?? 'Ringline is connecting to this node.'),
      app: this.app,
      version: this.#report?.version ?? null,
      startedAt: this.#report === null ? null : new Date(this.#report.startedAt).toISOString(),
      connectedAt: this.#connectedAt === null ? null : new Date(this.#connectedAt).toISOString(),
      lastError:
        this.#lastError === null
          ? null
          : { at: new Date(this.#lastError.at).toISOString(), detail: this.#lastError.detail },
      modules: [...(this.#report?.modules ?? [])],
      phoneTransfers: this.#report === null ? null : this.transfersBy,
      warnings,
    };
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let delay = FIRST_RETRY_MS;
    while (!signal.aborted) {
      try {
        // New callers take the dial plan's fall-back while their records cannot be stored.
        while (this.ledger.trouble() !== null && !signal.aborted) await pause(200, signal);
        const begunAt = Date.now();
        const reason = await this.#connect();
        // A connection that ends again and again is not hammered.
        if (Date.now() - begunAt > LONGEST_RETRY_MS) delay = FIRST_RETRY_MS;
        if (signal.aborted) return;
        this.#fail(
          'connection-lost',
          `The connection ended: ${reason}.`,
          'Ringline connects again by itself; see Asterisk’s log if it goes on.',
        );
        if (reason === REPLACED) await pause(HOLD_OFF_MS, signal);
      } catch (error) {
        if (error instanceof NodeRefused) this.#fail(error.code, `${error.message}.`, error.remedy);
        else
          this.#fail(
            'unreachable',
            `The session cannot be opened: ${(error as Error).message}.`,
            'Check `ariUrl` and Asterisk’s log.',
          );
      }
      await pause(delay * (0.75 + Math.random() / 2), signal);
      delay = Math.min(delay * 2, LONGEST_RETRY_MS);
    }
  }

  /** Opens a session, brings the records up to date, and follows the calls. Resolves when the session ends, to why. */
  async #connect(): Promise<string> {
    const report = await readStartUpReport(this.commands, this.settings.ariUrl);
    this.#record(report.boot, { kind: 'opened', report });
    // Events that come while the records are loaded wait: they may concern calls that are not in memory yet.
    let early: { frame: AriFrame; receivedAt: number }[] | null = [];
    const life: { session: AriSession | null; isReplaced: boolean; over: string | null } = {
      session: null,
      isReplaced: false,
      over: null,
    };
    let end!: (reason: string) => void;
    const ended = new Promise<string>((resolve) => (end = resolve));
    const steady = this.#clock.listen();
    const session = await openAriSession(this.settings, this.app, {
      onFrame: (heard, receivedAt) => {
        const frame = steady(heard);
        if (frame.type === 'ApplicationReplaced') {
          life.isReplaced = true;
          void life.session?.close(REPLACED);
        } else if (early !== null) early.push({ frame, receivedAt });
        else this.#onFrame(frame, receivedAt, report.boot);
      },
      skips: isPrivate,
      ...(this.recorder !== null && { onText: (text) => this.#record(report.boot, { kind: 'frame', text }) }),
      onBadFrame: (reason) => this.#onBadFrame(reason),
      onClosed: (reason) => {
        life.over = reason;
        this.#record(report.boot, { kind: 'closed', reason });
        if (this.#session === life.session) this.#onClosed();
        end(reason);
      },
    });
    life.session = session;
    if (life.isReplaced) void session.close(REPLACED);
    try {
      await this.#filterEvents();
      await this.ledger.loadOpen(this.settings.id);
      this.#aliveAt ??= await this.memory.lastAlive(this.settings.id);
      await this.memory.keepRun(this.settings.id, report);
      // Who is followed for the first time has missed nothing yet; should we be killed right away, it will have.
      if (this.#aliveAt === null) await this.memory.keepAlive(this.settings.id, Date.now() + this.clockOffsetMs);
      // One that ended meanwhile is not taken for the present one, and who stops needs none.
      if (life.over !== null) return life.over;
      if (this.#stopping.signal.aborted) {
        await session.close('Ringline is stopping');
        return await ended;
      }
      const gap = this.#gapUntilNow();
      // Who is followed for the first time is so from now on.
      this.#aliveAt ??= Date.now() + this.clockOffsetMs;
      this.#onConnected(session, report);
      for (const { frame, receivedAt } of early) this.#onFrame(frame, receivedAt, report.boot);
      early = null;
      await this.cel.caughtUp(LOG_FIRST_MS);
      // Only then is it told: nothing is to follow from what the records were.
      await this.#reconcile(session).finally(() => this.#tellGap(gap));
    } catch (error) {
      if (life.over !== null) return life.over;
      void session.close('the records could not be compared with the switch');
      throw error;
    }
    void this.#watch(session);
    return ended;
  }

  #onConnected(session: AriSession, report: StartUpReport): void {
    this.#report = report;
    this.#session = session;
    this.#connectedAt = Date.now();
    this.#missing = 'all';
    this.metrics.connects.inc();
    this.metrics.connected.inc();
    this.log.info(
      {
        scope: 'asterisk',
        node: this.settings.name,
        version: report.version,
        app: this.app,
        phoneTransfers: this.transfersBy,
      },
      'connected to the PBX',
    );
  }

  /** A switch that sends many of them does not fill the log. */
  #onBadFrame(reason: string): void {
    this.metrics.badFrames.inc();
    if (Date.now() - this.#badFrameLoggedAt < BAD_FRAME_LOG_EVERY_MS) return;
    this.#badFrameLoggedAt = Date.now();
    this.log.warn({ scope: 'asterisk', node: this.settings.name, reason }, 'a frame from the PBX was passed over');
  }

  #onFrame(frame: AriFrame, receivedAt: number, boot: string): void {
    this.metrics.frames.inc();
    const { id: nodeId } = this.settings;
    if (this.#isUpToDate) this.#aliveAt = receivedAt + this.clockOffsetMs;
    if (frame.type === 'ChannelUserevent' && frame.eventname === CLOCK_EVENT) {
      this.#onClock(parseAriTime(frame.timestamp), receivedAt);
      return;
    }
    const translation = translate(frame, receivedAt + this.clockOffsetMs);
    if (translation === null) return;
    const { channel } = frame;
    if (frame.type === 'StasisStart' && channel !== undefined && !isOurs(channel)) {
      this.#controlled.add(channel.id);
      this.#subscribe(channel.id);
    } else if (frame.type === 'ChannelDestroyed') this.#controlled.forget(translation.leg);
    this.ledger.tell({ nodeId, boot, ...translation, receivedAt });
  }

  #record(boot: string, content: StreamContent): void {
    this.recorder?.record({ node: this.settings.id, boot, app: this.app }, content);
  }

  #onClosed(): void {
    if (this.#session === null) return;
    if (this.#isUpToDate) this.#aliveAt = this.#session.lastHeardAt + this.clockOffsetMs;
    this.#session = null;
    this.#connectedAt = null;
    this.rooms.clear();
    this.metrics.connected.dec();
  }

  /** Every half a minute, and while records cannot be stored the session is closed. */
  async #watch(session: AriSession): Promise<void> {
    let reconcileAt = Date.now() + RECONCILE_EVERY_MS;
    let beatAt = 0;
    while (this.#session === session && !this.#stopping.signal.aborted) {
      const lookedAt = Date.now();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, WATCH_EVERY_MS).unref();
      });
      if (this.#session !== session) return;
      // We were held up ourselves: what the database and the switch said meanwhile is heard first.
      if (Date.now() - lookedAt > 5 * WATCH_EVERY_MS) continue;
      const trouble = this.ledger.trouble();
      if (trouble !== null) {
        void session.close(trouble);
        return;
      }
      if (Date.now() >= beatAt) {
        beatAt = Date.now() + HEARTBEAT_MS;
        // Pings are answered, so what the events told is still so.
        await this.memory.keepAlive(this.settings.id, session.lastHeardAt + this.clockOffsetMs).catch(() => undefined);
      }
      const second = this.#missing !== 'all' && this.#missing.size > 0;
      if (Date.now() >= reconcileAt - (second ? RECONCILE_EVERY_MS - SECOND_LOOK_MS : 0)) {
        reconcileAt = Date.now() + RECONCILE_EVERY_MS;
        await this.#reconcile(session).catch((error: unknown) =>
          this.log.warn({ scope: 'asterisk', error, node: this.settings.name }, 'the switch could not be compared'),
        );
      }
    }
  }

  /**
   * Events of observed calls may have been missed.
   * @param heardUntil When the observer last heard the switch, ms by our clock; null where it had not before.
   */
  #lookAgain(heardUntil: number | null): void {
    this.#missing = 'all';
    if (heardUntil !== null) this.#aliveAt = Math.min(this.#aliveAt ?? Infinity, heardUntil + this.clockOffsetMs);
    if (this.#session === null) return;
    // Where this session was cut as well it has told so itself.
    const isOnlyTheirs = heardUntil !== null && (this.#connectedAt ?? Infinity) < heardUntil;
    const gap = isOnlyTheirs ? this.#gapUntilNow(heardUntil + this.clockOffsetMs) : null;
    const observed = gap === null ? null : { ...gap, calls: gap.calls.filter((call) => call.observed !== null) };
    void this.#compareAnew()
      .catch(() => undefined)
      .finally(() => this.#tellGap(observed));
  }

  /** What is compared just now may have been read before the observer heard anything. */
  async #compareAnew(): Promise<void> {
    await this.#reconciling?.catch(() => undefined);
    this.#missing = 'all';
    if (this.#session !== null) await this.#reconcile(this.#session);
  }

  /** The calls that were under way while the switch was not heard; null where it had not been heard before. */
  #gapUntilNow(since = this.#aliveAt): Gap | null {
    if (since === null) return null;
    return { since, until: Date.now() + this.clockOffsetMs, calls: this.ledger.openCallsOf(this.settings.id) };
  }

  #tellGap(gap: Gap | null): void {
    if (gap === null) return;
    const { since, until } = gap;
    for (const { identity, boot } of gap.calls) {
      const { id, tenantId } = identity;
      const facts = [gapFact(id, 'not-heard', since, until)];
      const call = { id, tenantId };
      this.ledger.tell({ nodeId: this.settings.id, boot, leg: id, facts, receivedAt: null, call });
    }
  }

  #reconcile(session: AriSession): Promise<void> {
    this.#reconciling ??= this.#compare(session).finally(() => (this.#reconciling = null));
    return this.#reconciling;
  }

  async #compare(session: AriSession): Promise<void> {
    const boot = this.#report?.boot;
    if (boot === undefined) return;
    if (this.ledger.openCallsOf(this.settings.id).length === 0) this.#clock.settle();
    void this.#askClock();
    await this.ledger.settled();
    const takenAt = Date.now() + this.clockOffsetMs;
    const [channels, bridges] = await Promise.all([session.channels(), session.bridges()]);
    // What these events told belongs to the picture that the snapshot is compared with.
    await this.ledger.settled();
    const open = this.ledger.openCallsOf(this.settings.id);
    const aliveAt = this.#aliveAt ?? takenAt;
    this.#record(boot, { kind: 'snapshot', takenAt, aliveAt, channels, bridges });
    const snapshot = { boot, app: this.app, channels, bridges, takenAt };
    const found = reconcile(snapshot, open, this.#missing, aliveAt);
    const unheard = this.#missing === 'all' && this.#observer?.isHearing === true ? this.#unheard(snapshot) : [];
    this.#missing = found.missing;
    this.metrics.reconciles.inc();
    for (const { boot: legBoot, ...translation } of found.told) {
      this.metrics.repaired.inc(translation.facts.length);
      this.ledger.tell({ nodeId: this.settings.id, boot: legBoot, ...translation, receivedAt: null });
    }
    for (const observation of unheard)
      this.ledger.tell({ nodeId: this.settings.id, boot, ...observation, receivedAt: null });
    for (const caller of found.callers) {
      this.#controlled.add(caller);
      this.#subscribe(caller);
    }
    await this.ledger.settled();
    for (const call of this.ledger.openCallsOf(this.settings.id)) this.director.follow(call.identity.id);
    await this.#sweep(found.orphanLegs, found.orphanRooms);
  }

  /** Calls of the dial plan that began while nobody heard of them. */
  #unheard(snapshot: Snapshot): readonly Observation[] {
    const node = { nodeId: this.settings.id, boot: snapshot.boot };
    const isKnown = (leg: string): boolean => this.#controlled.has(leg) || this.ledger.callOfLeg(node, leg) !== null;
    return unheardCalls(snapshot, isKnown);
  }

  /** Removes what carries our name and has no live call, when it was there some time ago too. */
  async #sweep(legs: readonly string[], rooms: readonly string[]): Promise<void> {
    const now = Date.now();
    const present = new Set([...legs, ...rooms]);
    for (const id of this.#orphans.keys()) if (!present.has(id)) this.#orphans.delete(id);
    const due = (id: string): boolean => {
      const since = this.#orphans.get(id) ?? now;
      this.#orphans.set(id, since);
      return now - since >= ORPHAN_AFTER_MS;
    };
    for (const id of legs.filter(due)) await this.#remove(`/channels/${encodeURIComponent(id)}`);
    for (const id of rooms.filter(due)) await this.#remove(`/bridges/${encodeURIComponent(id)}`);
  }

  async #remove(path: string): Promise<void> {
    this.metrics.swept.inc();
    this.log.warn({ scope: 'asterisk', node: this.settings.name, path }, 'removing what no live call owns');
    await this.commands.send('DELETE', path);
  }

  /** The end of a caller's channel comes after it left our app: without this nobody tells us. */
  #subscribe(leg: string): void {
    const path = `/applications/${encodeURIComponent(this.app)}/subscription?eventSource=${encodeURIComponent(`channel:${leg}`)}`;
    void this.commands.send('POST', path);
  }

  async #filterEvents(): Promise<void> {
    const allowed = readTypes.map((type) => ({ type }));
    const answer = await this.commands.send('PUT', `/applications/${encodeURIComponent(this.app)}/eventFilter`, {
      allowed,
    });
    if (answer.kind !== 'answered' || answer.status !== 200) {
      this.log.warn(
        { scope: 'asterisk', node: this.settings.name },
        'the PBX does not filter events; more of them come than are read',
      );
    }
  }

  /**
   * Asks for an event of the moment. Other events may have waited long, in the switch or on their way, and then tell nothing
   * about its clock.
   */
  async #askClock(): Promise<void> {
    this.#clockAskedAt = Date.now();
    await this.commands.send('POST', `/events/user/${CLOCK_EVENT}?application=${encodeURIComponent(this.app)}`);
  }

  /** What we do ourselves is to be told by the same clock. */
  #onSetBack(setBackMs: number): void {
    const { name: node } = this.settings;
    this.log.warn({ scope: 'asterisk', node, setBackMs }, 'the clock of the PBX was set back');
    void this.#askClock();
  }

  #onClock(sentAt: number | null, receivedAt: number): void {
    const askedAt = this.#clockAskedAt;
    this.#clockAskedAt = null;
    if (sentAt === null || askedAt === null || receivedAt - askedAt > LONGEST_CLOCK_TURN_MS) return;
    this.#offsetMs = Math.round(sentAt - (askedAt + receivedAt) / 2);
    this.metrics.clockOffset.set(this.#offsetMs / 1000);
  }

  #fail(code: string, detail: string, remedy: string): void {
    const isNews = this.#lastError?.detail !== detail;
    this.#lastError = { at: Date.now(), detail, code, remedy };
    if (isNews) this.log.warn({ scope: 'asterisk', node: this.settings.name, code }, detail);
  }
}

/** A while in which the switch was not heard, ms by its clock, and the calls that were under way. */
type Gap = { readonly since: number; readonly until: number; readonly calls: readonly LiveCall[] };

const REPLACED = 'another client took the app name';
