import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../common/logger.js';
import { Problem } from '../../common/problems.js';
import type { AfterCommit, CommittedChange } from '../after-commit.js';
import { apiKey, isOver, type LegState } from '../domain/call-state.js';
import { isBlocked, isCustomerFirst } from '../domain/outcome.js';
import { openTransfer, transferKey } from '../domain/transfer.js';
import type { Fact } from '../domain/fact.js';
import type { CallLedger } from '../ledger/call-ledger.js';
import type { LiveCall } from '../ledger/live-call.js';
import type { NodeBoot, Told } from '../ledger/told.js';
import type { CommandResult, TelephonySwitch } from '../telephony-switch.js';
import type { TransferTargets } from '../transfer-targets.js';
import { askKeys } from './ask.js';
import { decide } from './decide.js';
import type { Command, Decision } from './decision.js';
import { isOnlyPlanned, isPhoneLegId, plannedLegs, winningLeg } from './legs.js';
import { decideObserved } from './observed.js';
import { factOfRecording, giveRecording, type RecordingCommand } from './recording-commands.js';
import { turnAway } from './ring-line.js';

/** How often a command whose answer was lost is given again, where that is safe. */
const REPEATS = 2;
/** How long a leg that should exist is waited for before it counts as never made, ms. */
const LATE_LEG_MS = 2_000;

/**
 * How long an agent's phone may take to ring from when its dial was written down, by a process that is gone, and how long it is
 * looked at in any case, ms. Who waits for it alone is with the fall-back within the 10 s that the guide promises.
 */
const SLOW_PHONE_MS = 7_000;
const LOOKED_AT_MS = 1_000;

/** What becomes of one that does not. */
const NOT_RUNG: CommandResult = {
  kind: 'unknown',
  text: 'it did not ring, and Ringline was ended as it was to be dialled',
};

/** What becomes of a leg that was planned, and never made. */
const NOT_NEEDED: CommandResult = { kind: 'refused', text: 'not needed any more' };

/** What becomes of one that was made, time and again, and each time was gone at once. */
const NOT_KEPT: CommandResult = { kind: 'refused', text: 'the switch made it and did not keep it' };

/** An arrival older than this may have been overtaken by the dial plan, ms. */
const OLD_NEWS_MS = 3_000;

/** How long the target of a phone's transfer rings, seconds: there is no key for it. */
const TARGET_RING_SECONDS = 30;

/** What this process has done for one call. */
type Handled = {
  /** Commands by key: given once; a chain waits for what another one has begun. */
  readonly given: Map<string, Promise<boolean>>;
  /**
   * Legs that this process wrote down as dialled, and requests for digits that it wrote down as sent. Those of an earlier
   * one are never dialled again, for they may ring slowly, nor sent again.
   */
  readonly marked: Set<string>;
  timer: NodeJS.Timeout | null;
  /** A caller whose arrival is old news is asked about before anything is done. */
  isFresh: boolean;
};

/**
 * Follows each call that Ringline drives, and each other one that is to end: after every commit it decides what comes next, has
 * it written down where that must come first, and gives the commands. It holds nothing that a restart may not lose: decisions
 * follow from facts.
 */
export class CallDirector implements AfterCommit {
  readonly name = 'control';
  readonly #handled = new Map<string, Handled>();
  #stopping = false;

  constructor(
    private readonly ledger: CallLedger,
    private readonly telephony: TelephonySwitch,
    private readonly targets: Pick<TransferTargets, 'wished' | 'reached'>,
    private readonly log: Log,
  ) {}

  onCommit(changes: readonly CommittedChange[]): void {
    for (const { callId } of changes) this.follow(callId);
  }

  /** What is written down next of a call, in the commit of what it follows from: so it needs no second one. */
  nextRecords(call: LiveCall): readonly Fact[] {
    const handled = this.#stopping ? null : this.#take(call);
    if (handled === null || (!handled.isFresh && this.#mustAsk(call))) return [];
    return this.#decide(call, handled).record;
  }

  /** Decides what to do next with a call, as it is stored now. */
  follow(callId: string): void {
    const call = this.ledger.peek(callId);
    const handled = call === null ? null : this.#take(call);
    if (call === null || handled === null) return;
    const node = nodeOf(call);
    if (this.#stopping && this.#letGo(callId)) return;
    if (!handled.isFresh && this.#mustAsk(call)) {
      this.#askFirst(call, node, handled);
      return;
    }
    handled.isFresh = true;
    const decision = this.#decide(call, handled);
    if (decision.record.length > 0) this.#tell(call, node, decision.record, true);
    const chains = decision.chains.map((chain) => this.#runChain(call, node, handled, chain));
    if (handled.timer !== null) clearTimeout(handled.timer);
    handled.timer = null;
    if (decision.wakeAt !== null) {
      const delay = Math.max(1, decision.wakeAt - this.telephony.nowAt(node.nodeId));
      handled.timer = setTimeout(() => this.follow(callId), delay);
      handled.timer.unref();
    }
    if (call.isOver) void Promise.allSettled(chains).then(() => this.#forget(callId, call));
  }

  /** What was done for a call so far; null when there is nothing to do for it. */
  #take(call: LiveCall): Handled | null {
    const { nodeId, boot } = nodeOf(call);
    const isToBeControlled = call.state !== null || (call.observed?.cancelAsked ?? null) !== null;
    // Legs of an earlier run of the switch are gone; reconcile ends them.
    if (!isToBeControlled || this.telephony.bootOf(nodeId) !== boot) return null;
    const { id } = call.identity;
    const handled = this.#handled.get(id) ?? { given: new Map(), marked: new Set(), timer: null, isFresh: false };
    this.#handled.set(id, handled);
    return handled;
  }

  /** A caller whose number is no line goes back to the dial plan. */
  async handBack(nodeId: string, leg: string): Promise<void> {
    const boot = this.telephony.bootOf(nodeId);
    if (boot !== null) await this.telephony.handBack({ nodeId, boot }, leg);
  }

  /**
   * From now on callers who wait go back to the dial plan, and click-to-calls that nobody could join any more end.
   * Resolves when that is done, after `limitMs` at the latest. Who talks goes on talking.
   */
  async stop(limitMs: number): Promise<void> {
    this.#stopping = true;
    const waiting = [...this.#handled.keys()].filter((callId) => this.#letGo(callId));
    const until = Date.now() + limitMs;
    const settled = (callId: string): boolean => {
      const state = this.ledger.peek(callId)?.state;
      return (
        state == null || state.legs.every((leg) => isOver(leg) || (leg.side === 'remote' && leg.leftControlAt !== null))
      );
    };
    while (Date.now() < until && !waiting.every(settled)) await sleep(20);
    for (const { timer } of this.#handled.values()) if (timer !== null) clearTimeout(timer);
  }

  /** Lets a call go that would need us. True when it had to be. */
  #letGo(callId: string): boolean {
    const call = this.ledger.peek(callId);
    const state = call?.state;
    if (call == null || state == null || call.isOver || call.document?.answeredAt != null) return false;
    const node = nodeOf(call);
    const at = this.telephony.nowAt(node.nodeId);
    if (state.placed.direction === 'inbound') {
      if (state.handedBack !== null || winningLeg(state) !== null || isBlocked(state)) return false;
      const data = { reason: 'service-stopped' } as const;
      this.#tell(call, node, [{ leg: callId, kind: 'handed-back', key: '', at, source: 'ringline', data }], true);
      return true;
    }
    // The other party's phone rings in a room where the agent waits: they need nobody to talk.
    const isWithAgent =
      !isCustomerFirst(state) && state.legs.some(({ side, dialSentAt }) => side === 'remote' && dialSentAt !== null);
    if (state.cancelAsked !== null || isWithAgent) return false;
    const data = { by: 'system', reason: 'service-stopped' } as const;
    this.#tell(call, node, [{ leg: callId, kind: 'cancel-asked', key: '', at, source: 'ringline', data }], true);
    return true;
  }

  /** A caller who came some time ago, for whom nothing was done yet: events may be late, or the arrival was only read. */
  #mustAsk(call: LiveCall): boolean {
    const { state } = call;
    if (state === null) return false;
    const untouched = state.legs.every((leg) =>
      leg.side === 'remote' ? leg.ended === null && leg.leftControlAt === null : isOnlyPlanned(leg),
    );
    return (
      state.placed.direction === 'inbound' &&
      untouched &&
      (this.telephony.nowAt(call.identity.pbxNodeId) - state.placed.at > OLD_NEWS_MS ||
        state.legs.some(({ isOnlyLogged }) => isOnlyLogged))
    );
  }

  /** Acting looks at the present: what the caller does now is asked, recorded, and then decided on. */
  #askFirst(call: LiveCall, node: NodeBoot, handled: Handled): void {
    const caller = call.state?.legs.find(({ side }) => side === 'remote');
    if (caller === undefined || handled.given.has('ask-caller')) return;
    const asked = this.telephony.callerPresence(node, caller.id).then((presence) => {
      handled.given.delete('ask-caller');
      if (presence === 'waiting') {
        handled.isFresh = true;
        this.follow(call.identity.id);
      } else if (presence === 'gone') this.#doubt(call, node, caller.id);
      else if (presence === 'elsewhere') {
        const at = this.telephony.nowAt(node.nodeId);
        this.#tell(call, node, [{ leg: caller.id, kind: 'left-control', key: '', at, source: 'estimate', data: {} }]);
      } else handled.timer = setTimeout(() => this.follow(call.identity.id), LATE_LEG_MS).unref();
      return true;
    });
    handled.given.set('ask-caller', asked);
  }

  #decide(call: LiveCall, handled: Handled): Decision {
    const { state, observed } = call;
    const now = this.telephony.nowAt(call.identity.pbxNodeId);
    if (observed !== null) return decideObserved(observed, now);
    if (state === null) throw new Error('a call is decided on of which nothing is known');
    const { plan } = state.placed;
    if (plan.kind === 'ring-line' && handled.given.size === 0 && this.telephony.isOverloaded(call.identity.pbxNodeId)) {
      const record = turnAway(call.identity.id, state, now);
      if (record !== null) return { record, chains: [], wakeAt: null };
    }
    const decision = decide(call.identity.id, state, now);
    for (const { kind, leg, key } of decision.record) {
      if (kind === 'dial-sent') handled.marked.add(leg);
      if (kind === 'digits-sent') handled.marked.add(key);
    }
    return decision;
  }

  /** Runs commands one after another; those given before are waited for, not given again. */
  async #runChain(call: LiveCall, node: NodeBoot, handled: Handled, chain: readonly Command[]): Promise<void> {
    for (const command of chain) {
      let run = handled.given.get(command.key);
      if (run === undefined) {
        run = this.#give(call, node, handled, command).catch((error: unknown) => {
          this.log.error(
            { scope: 'control', error, callId: call.identity.id, command: command.do },
            'a command failed',
          );
          return false;
        });
        handled.given.set(command.key, run);
      }
      if (!(await run)) return;
    }
  }

  /** Gives one command. True when what depends on it may go on. */
  async #give(call: LiveCall, node: NodeBoot, handled: Handled, command: Command): Promise<boolean> {
    switch (command.do) {
      case 'find-contacts':
        return this.#findContacts(call, node, handled, command);
      case 'create-leg':
        return this.#createLeg(call, node, command);
      case 'dial-leg':
        return this.#dialLeg(call, node, command, handled.marked.has(command.leg));
      case 'end-leg': {
        const result = await this.#repeat(call, command, () => this.telephony.endLeg(node, command.leg, command.why));
        if (result.kind === 'gone') this.#neverMade(call, node, command.leg);
        return result.kind === 'done';
      }
      case 'check-leg': {
        const presence = await this.telephony.presenceOf(node, command.leg);
        if (presence === 'gone') this.#gone(call, node, command.leg);
        else if (presence !== 'unknown') handled.given.delete(`end:${command.leg}`);
        return true;
      }
      case 'tell-ringing':
        return succeeded(await this.telephony.tellRinging(node, command.leg));
      case 'ask-leg':
        return succeeded(await this.#repeat(call, command, () => this.telephony.askToConfirm(node, command.leg)));
      case 'stop-asking': {
        // One that is being begun would be heard to its end, and its lease be the last word.
        const { question, lease } = askKeys(command.leg);
        await Promise.all([handled.given.get(question), handled.given.get(lease)]);
        await this.telephony.stopAsking(node, command.leg);
        return true;
      }
      case 'answer-leg':
        return succeeded(await this.#repeat(call, command, () => this.telephony.answerLeg(node, command.leg)));
      case 'join-legs':
        return succeeded(
          await this.#repeat(call, command, () => this.telephony.joinLegs(node, command.room, command.legs)),
        );
      case 'tie-legs':
        return succeeded(
          await this.#repeat(call, command, () => this.telephony.tieLegs(node, command.leg, command.partner)),
        );
      case 'hold-leg': {
        const { leg, by, held, place } = command;
        return this.#control(call, node, handled, command, () => this.telephony.holdLeg(node, leg, held), {
          leg: by,
          kind: held ? 'held' : 'resumed',
          key: apiKey(place),
        });
      }
      case 'mute-leg': {
        const { leg, muted, place } = command;
        return this.#control(call, node, handled, command, () => this.telephony.muteLeg(node, leg, muted), {
          leg,
          kind: muted ? 'muted' : 'unmuted',
          key: apiKey(place),
        });
      }
      case 'send-digits':
        // What goes wrong with some does not keep back those that follow. No answer: they may have gone.
        if (handled.marked.has(command.id)) await this.telephony.sendDigits(node, command.leg, command.digits);
        return true;
      case 'find-target':
        return this.#findTarget(call, node, command);
      case 'name-taker':
        return this.#nameTaker(call, node, command);
      case 'tell-transfer':
        await this.telephony.tellTransfer(node, command.leg, command.progress);
        return true;
      case 'close-room':
        return succeeded(await this.#repeat(call, command, () => this.telephony.closeRoom(node, command.room)));
      case 'retie-legs':
        return succeeded(
          await this.#repeat(call, command, () => this.telephony.retieLegs(node, command.leg, command.partner)),
        );
      case 'hand-back':
        if (command.isOnHold) await this.#repeat(call, command, () => this.telephony.holdLeg(node, command.leg, false));
        return succeeded(await this.#repeat(call, command, () => this.telephony.handBack(node, command.leg)));
      case 'start-recording':
      case 'pause-recording':
      case 'resume-recording':
      case 'stop-recording':
        return this.#record(call, node, handled, command);
      case 'renew-lease':
        await this.#repeat(call, command, () => this.telephony.renewLease(node, command.leg, command.seconds));
        return true;
    }
  }

  /**
   * Does to a leg what was asked for, and writes down that it is done: the switch tells of no such thing. What was not done is
   * given again with the next news.
   */
  async #control(
    call: LiveCall,
    node: NodeBoot,
    handled: Handled,
    command: Command,
    run: () => Promise<CommandResult>,
    done: { readonly leg: string; readonly kind: 'held' | 'resumed' | 'muted' | 'unmuted'; readonly key: string },
  ): Promise<boolean> {
    const result = await this.#repeat(call, command, run);
    if (!succeeded(result)) {
      handled.given.delete(command.key);
      return false;
    }
    this.#tell(call, node, [{ ...done, at: this.telephony.nowAt(node.nodeId), source: 'ringline', data: {} }], true);
    return true;
  }

  /** Commands a recording, and writes down what the switch does not tell. What was not done is given again with the next news. */
  async #record(call: LiveCall, node: NodeBoot, handled: Handled, command: RecordingCommand): Promise<boolean> {
    const result = await this.#repeat(call, command, () => giveRecording(this.telephony, node, command));
    const told = factOfRecording(command, result, call.state?.recordingAsks.length ?? 0);
    if (told !== null) {
      const { id } = call.identity;
      this.#tell(call, node, [{ ...told, leg: id, at: this.telephony.nowAt(node.nodeId) } as Fact]);
    }
    if (!succeeded(result)) handled.given.delete(command.key);
    return succeeded(result);
  }

  /** A transfer that a phone asks for becomes one of the call's, or is refused. */
  async #findTarget(
    call: LiveCall,
    node: NodeBoot,
    { leg, wish }: Extract<Command, { do: 'find-target' }>,
  ): Promise<boolean> {
    const found = await this.targets.wished(call, leg, wish).catch((error: unknown) => {
      if (error instanceof Problem) return { problem: error.type, text: error.details.detail };
      this.log.error({ scope: 'control', error, callId: call.identity.id }, 'the target of a transfer was not found');
      return { problem: 'database-unavailable', text: 'It could not be read whom that means.' } as const;
    });
    const { state } = call;
    const present = state?.legs.find(({ id }) => id === leg)?.wishes.find(({ key }) => key === wish.key);
    // Refused meanwhile, or something else was asked for.
    if (state === null || present?.refusedAt !== null || openTransfer(state) !== null) return false;
    const at = this.telephony.nowAt(node.nodeId);
    const told = { at, source: 'ringline' } as const;
    if ('problem' in found) {
      this.#tell(call, node, [{ ...told, leg, kind: 'wish-refused', key: wish.key, data: found }], true);
      return false;
    }
    const key = transferKey(state.transfers.length + 1);
    const by = { leg, wish: wish.key };
    const data = { mode: 'blind', target: found, ringSeconds: TARGET_RING_SECONDS, by } as const;
    this.#tell(call, node, [{ ...told, leg: call.identity.id, kind: 'transfer-asked', key, data }], true);
    return true;
  }

  /** Writes down a transfer that the switch carried out by itself. */
  async #nameTaker(
    call: LiveCall,
    node: NodeBoot,
    { leg, at, by, to }: Extract<Command, { do: 'name-taker' }>,
  ): Promise<boolean> {
    const name = call.legs.find(({ id }) => id === by)?.name ?? '';
    const beyond = await this.telephony.partyBeyond(node, by, name);
    const target = await this.targets.reached(call, name, to, beyond);
    const { state } = call;
    if (state === null || state.transfers.some(({ done }) => done?.from === leg)) return false;
    const { id } = call.identity;
    const open = openTransfer(state);
    const place = state.transfers.length + 1;
    const key = transferKey(place);
    const device = target.phone === null ? null : `PJSIP/${target.phone.endpoint}`;
    const planned = {
      side: 'agent',
      agentId: target.phone?.agentId ?? null,
      device: device ?? target.number.e164 ?? target.number.raw,
      contact: null,
      transfer: place,
    } as const;
    const asked = { mode: 'blind', target, ringSeconds: TARGET_RING_SECONDS, by: { leg, wish: '' } } as const;
    const told = { at, source: 'ringline' } as const;
    const facts: Fact[] = [
      { ...told, leg: id, kind: 'transfer-asked', key, data: asked },
      { ...told, leg: by, kind: 'planned', key: '', data: planned },
      { ...told, leg: id, kind: 'transferred', key, data: { from: leg, to: by } },
    ];
    if (open !== null) {
      const data = { reason: 'agent-hung-up' } as const;
      facts.unshift({ ...told, leg: id, kind: 'transfer-failed', key: transferKey(open.place), data });
    }
    this.#tell(call, node, facts, true);
    return true;
  }

  /** Plans a leg for each further address at which a phone is registered; there is one for the first already. */
  async #findContacts(
    call: LiveCall,
    node: NodeBoot,
    handled: Handled,
    { key, rung, viaLeg }: Extract<Command, { do: 'find-contacts' }>,
  ): Promise<boolean> {
    const contacts = await this.telephony.contactsOf(node, rung.endpoint, viaLeg);
    if (contacts === null) {
      // Asked again with the next news: the connection may have been lost.
      handled.given.delete(key);
      return false;
    }
    const at = this.telephony.nowAt(node.nodeId);
    this.#tell(call, node, plannedLegs(call.identity.id, rung, contacts, at).slice(1), true);
    return true;
  }

  /**
   * Rings nobody, so it is repeated when the leg does not turn up, whatever was answered: Asterisk ends a leg at once that is
   * made while it has lost its connection to us, and nothing tells of it.
   */
  async #createLeg(call: LiveCall, node: NodeBoot, command: Extract<Command, { do: 'create-leg' }>): Promise<boolean> {
    const { leg } = command.leg;
    for (let turn = 0; ; turn++) {
      const result = await this.telephony.createLeg(node, command.leg);
      if (result.kind === 'done' || result.kind === 'unknown') {
        const turnsUp = await this.#turnsUp(call, node, leg);
        if (turnsUp !== null) return turnsUp;
        if (turn < REPEATS) continue;
      }
      this.#refuse(call, node, leg, result.kind === 'done' ? NOT_KEPT : result);
      return false;
    }
  }

  /** Whether a leg was made; false for one that is needed no more, null when nothing is seen of it while we are connected. */
  async #turnsUp(call: LiveCall, node: NodeBoot, id: string): Promise<boolean | null> {
    for (let until = Date.now() + LATE_LEG_MS; ; await sleep(200)) {
      const leg = call.state?.legs.find((candidate) => candidate.id === id);
      if (leg === undefined || isOver(leg) || leg.released !== null || this.#stopping) return false;
      if (leg.createdAt !== null) return true;
      const boot = this.telephony.bootOf(node.nodeId);
      if (boot === null) until = Date.now() + LATE_LEG_MS;
      else if (boot !== node.boot) return false;
      if (Date.now() < until) continue;
      const presence = await this.telephony.presenceOf(node, id);
      return presence === 'gone' || presence === 'unknown' ? null : true;
    }
  }

  /**
   * Dials. Whether an earlier try reached the switch is asked, never assumed: two dials on one id make one INVITE, but the
   * second one ends a leg that does not ring yet.
   */
  async #dialLeg(
    call: LiveCall,
    node: NodeBoot,
    command: Extract<Command, { do: 'dial-leg' }>,
    markedHere: boolean,
  ): Promise<boolean> {
    for (let turn = 0; ; turn++) {
      if (turn > 0 || !markedHere) {
        const isDialled = await this.#isDialled(call, node, command.leg, !markedHere);
        if (isDialled !== null) return isDialled;
        if (!markedHere) {
          // Its process died around the dial: nobody can tell whether it was sent. Outside it may ring late, and its time ends it.
          if (!isPhoneLegId(command.leg)) return true;
          this.#refuse(call, node, command.leg, NOT_RUNG);
          return false;
        }
      }
      const result = await this.telephony.dialLeg(node, command.leg, command.ringSeconds);
      if (result.kind === 'done') return true;
      if (result.kind === 'gone') {
        this.#doubt(call, node, command.leg);
        return false;
      }
      if (turn >= REPEATS) {
        this.#refuse(call, node, command.leg, result);
        return false;
      }
    }
  }

  /**
   * Whether an earlier try to dial did: false for a leg that needs it no more, null when nothing of the kind is seen for a
   * while. The switch tells at once that it dials, but what it tells takes its way through a commit. A second dial on
   * a leg that is being dialled sends no second INVITE, but ends the leg.
   */
  async #isDialled(call: LiveCall, node: NodeBoot, id: string, byEarlier: boolean): Promise<boolean | null> {
    const find = (): LegState | undefined => call.state?.legs.find((candidate) => candidate.id === id);
    const sinceMs = this.telephony.nowAt(node.nodeId) - (find()?.dialSentAt ?? 0);
    const until = Date.now() + (byEarlier ? Math.max(LOOKED_AT_MS, SLOW_PHONE_MS - sinceMs) : LATE_LEG_MS);
    for (;;) {
      const leg = find();
      if (leg === undefined || isOver(leg) || leg.released !== null) return false;
      if ([leg.diallingAt, leg.ringing, leg.progressAt, leg.answered, leg.pickedUp].some((seen) => seen !== null))
        return true;
      const presence = await this.telephony.presenceOf(node, id);
      if (presence === 'gone') {
        this.#gone(call, node, id);
        return false;
      }
      if (presence === 'ringing' || presence === 'answered') return true;
      if (Date.now() >= until) return null;
      await sleep(100);
    }
  }

  /** Gives a command that changes nothing when given twice, until an answer comes. */
  async #repeat(call: LiveCall, command: Command, run: () => Promise<CommandResult>): Promise<CommandResult> {
    for (let turn = 0; ; turn++) {
      const result = await run();
      if (result.kind === 'refused') {
        this.log.warn(
          { scope: 'control', callId: call.identity.id, command: command.do, reason: result.text },
          'the switch refused a command',
        );
      }
      if (result.kind !== 'unknown' || turn >= REPEATS) return result;
    }
  }

  #refuse(call: LiveCall, node: NodeBoot, leg: string, result: CommandResult): void {
    const text = 'text' in result ? result.text : result.kind;
    const side = call.state?.legs.find(({ id }) => id === leg)?.side;
    const reason =
      result.kind === 'unknown' ? 'unknown' : side === 'remote' ? 'trunk-unreachable' : 'device-unreachable';
    const at = this.telephony.nowAt(node.nodeId);
    this.#tell(call, node, [{ leg, kind: 'refused', key: '', at, source: 'ringline', data: { reason, text } }]);
    // An unknown end may leave a leg behind.
    if (result.kind === 'unknown') void this.telephony.endLeg(node, leg, 'orphan');
  }

  #neverMade(call: LiveCall, node: NodeBoot, id: string): void {
    const leg = call.legs.find((candidate) => candidate.id === id);
    if (leg === undefined || isOver(leg)) return;
    if (leg.createdAt === null) this.#refuse(call, node, id, NOT_NEEDED);
    else this.#doubt(call, node, id);
  }

  /** The leg is not in the switch though its end was not told: it may be on its way, so we wait before we say so. */
  #doubt(call: LiveCall, node: NodeBoot, leg: string): void {
    setTimeout(() => this.#gone(call, node, leg), LATE_LEG_MS).unref();
  }

  #gone(call: LiveCall, node: NodeBoot, id: string): void {
    const leg = call.legs.find((candidate) => candidate.id === id);
    if (leg === undefined || isOver(leg)) return;
    // What was never made has no end whose time could be inferred.
    if (leg.createdAt === null && leg.dialSentAt === null) {
      this.#refuse(call, node, id, NOT_NEEDED);
      return;
    }
    // A leg that we ended left our control for good; a caller who did may live on in the dial plan.
    const known = leg.hangupAsked?.at ?? (leg.released === null ? null : leg.leftControlAt);
    this.#tell(call, node, [
      {
        leg: id,
        kind: 'ended',
        key: '',
        at: known ?? this.telephony.nowAt(node.nodeId),
        source: known === null ? 'estimate' : 'reconcile',
        data: { q850: null, sip: null, text: null },
      },
    ]);
  }

  #tell(call: LiveCall, node: NodeBoot, facts: readonly Fact[], onlyWhileOpen = false): void {
    if (facts.length === 0) return;
    const { id, tenantId } = call.identity;
    const told: Told = {
      ...node,
      leg: facts[0]?.leg ?? id,
      facts,
      receivedAt: null,
      call: { id, tenantId },
      onlyWhileOpen,
    };
    this.ledger.tell(told);
  }

  #forget(callId: string, call: LiveCall): void {
    if (!call.isOver) return;
    const handled = this.#handled.get(callId);
    if (handled?.timer != null) clearTimeout(handled.timer);
    this.#handled.delete(callId);
  }
}

function nodeOf(call: LiveCall): NodeBoot {
  return { nodeId: call.identity.pbxNodeId, boot: call.boot };
}

function succeeded(result: CommandResult): boolean {
  return result.kind === 'done';
}
