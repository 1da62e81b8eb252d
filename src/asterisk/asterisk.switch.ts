import { setTimeout as sleep } from 'node:timers/promises';
import type { ReleaseReason } from '../calls/domain/fact.js';
import type { NodeBoot } from '../calls/ledger/told.js';
import {
  TelephonySwitch,
  type CallerPresence,
  type CommandResult,
  type EndpointPresence,
  type LegPresence,
  type NewLeg,
  type TransferProgress,
} from '../calls/telephony-switch.js';
import { isSafeContact, isWire } from '../numbers/dial-endpoint.js';
import type { AriChannel } from './ari-frame.js';
import { isAttendedWire } from './attended-wire.js';
import { farEndId } from './far-end.js';
import { stasisArgs } from './reconcile.js';
import type { NodeSessions } from './node-sessions.js';
import type { AriAnswer, AriCommands } from './session/commands.js';

/** A phone may be registered in more places than anybody looks at; more than this would be a storm of calls. */
const MOST_CONTACTS = 5;

/**
 * A phone rings some three answers after its caller came. Taking on callers while answers take this long, ms, would make all
 * of them late: the queue in front of a switch that is short of time does not drain while more comes than it can do.
 */
const OVERLOAD_MS = 250;

/**
 * Asterisk as the telephony switch. A leg is made in two requests: `create` sends no INVITE and may be repeated, `dial`
 * sends it. Two dials on one channel id make one INVITE; the second, though answered 204, ends a leg that does not ring yet.
 */
export class AsteriskSwitch extends TelephonySwitch {
  constructor(private readonly sessions: NodeSessions) {
    super();
  }

  bootOf(nodeId: string): string | null {
    return this.sessions.find(nodeId)?.boot ?? null;
  }

  nowAt(nodeId: string): number {
    return Date.now() + (this.sessions.find(nodeId)?.clockOffsetMs ?? 0);
  }

  isOverloaded(nodeId: string): boolean {
    return (this.sessions.find(nodeId)?.commands.delayMs ?? 0) > OVERLOAD_MS;
  }

  async endpointPresence(nodeId: string, endpoint: string): Promise<EndpointPresence> {
    const answer = await this.#send(nodeId, 'GET', `/endpoints/PJSIP/${encodeURIComponent(endpoint)}`);
    if (answer.kind !== 'answered') return 'unknown';
    if (answer.status === 404) return 'absent';
    const { state } = (answer.body ?? {}) as { state?: unknown };
    return answer.status !== 200 ? 'unknown' : state === 'online' ? 'online' : 'offline';
  }

  /** `PJSIP_DIAL_CONTACTS` reads its endpoint's addresses on any channel, and on none it reads nothing. */
  async contactsOf(node: NodeBoot, endpoint: string, viaLeg: string): Promise<readonly string[] | null> {
    const value = await this.#variable(node, viaLeg, `PJSIP_DIAL_CONTACTS(${endpoint})`);
    if (value === null) return null;
    const prefix = `PJSIP/${endpoint}/`;
    return value
      .split('&')
      .filter((device) => device.startsWith(prefix))
      .map((device) => device.slice(prefix.length))
      .filter(isSafeContact)
      .slice(0, MOST_CONTACTS);
  }

  /**
   * The wire of an attended transfer names who is there as its caller, but not always yet. Its far end, once it is in its room,
   * knows with whom it is there (`BRIDGEPEER`).
   */
  async partyBeyond(node: NodeBoot, wire: string, name: string): Promise<string | null> {
    if (!isAttendedWire(name)) return null;
    const farEnd = name.replace(/;1$/, ';2');
    for (let turn = 0; turn < BEYOND_TURNS; turn++) {
      if (turn > 0) await sleep(BEYOND_EVERY_MS);
      const peers = await this.#variable(node, wire, `IMPORT(${farEnd},BRIDGEPEER)`);
      if (peers === null) return null;
      const [first = ''] = peers.split(',');
      if (first !== '') return first;
    }
    return null;
  }

  async createLeg(node: NodeBoot, leg: NewLeg): Promise<CommandResult> {
    const session = this.sessions.find(node.nodeId);
    if (session === null) return { kind: 'refused', text: 'the PBX node is not connected' };
    const { shownNumber, shownName, ownNumber, autoAnswer } = leg.display;
    const heedsTransfers = leg.party === 'phone' && session.transfersBy === 'ringline';
    const answer = await this.#send(node.nodeId, 'POST', '/channels/create', {
      endpoint: leg.endpoint,
      app: session.app,
      appArgs: 'leg',
      channelId: leg.leg,
      // The far end of a wire is ours too.
      ...(isWire(leg.endpoint) && { otherChannelId: farEndId(leg.leg) }),
      variables: {
        'TIMEOUT(absolute)': String(leg.leaseSeconds),
        // Who the phone is: shown to whoever it is joined with.
        'CALLERID(num)': ownNumber,
        // Whom the phone sees.
        'CONNECTEDLINE(num)': shownNumber,
        ...(shownName !== null && { 'CONNECTEDLINE(name)': displayName(shownName) }),
        ...autoAnswerHeaders[autoAnswer],
        // REFER comes as an event then, and Asterisk does nothing by itself.
        ...(heedsTransfers && { 'PJSIP_TRANSFER_HANDLING()': 'ari-only' }),
        ...(leg.takes !== undefined && { RINGLINE_TAKE: leg.takes }),
      },
    });
    // 409 proves nothing: Asterisk also gives it for a failure after an earlier 409 on the same connection.
    if (answer.kind === 'answered' && answer.status === 409) {
      const presence = await this.presenceOf(node, leg.leg);
      if (presence === 'unknown') return { kind: 'unknown', text: 'the PBX did not say whether the leg is there' };
      return presence === 'gone' ? { kind: 'refused', text: 'no phone is registered there' } : { kind: 'done' };
    }
    return toResult(answer);
  }

  async dialLeg(node: NodeBoot, leg: string, ringSeconds: number): Promise<CommandResult> {
    return this.#command(node, 'POST', `${channelPath(leg)}/dial?timeout=${ringSeconds}`);
  }

  async tellRinging(node: NodeBoot, leg: string): Promise<CommandResult> {
    return this.#command(node, 'POST', `${channelPath(leg)}/ring`);
  }

  async askToConfirm(node: NodeBoot, leg: string): Promise<CommandResult> {
    // What an earlier process began would be heard to its end first.
    await this.stopAsking(node, leg);
    const media = encodeURIComponent(question.join(','));
    return this.#command(node, 'POST', `${channelPath(leg)}/play/${questionId(leg)}?media=${media}`);
  }

  /** It is over a moment after it was asked to end: a channel does nothing else until then, and comes into no bridge. */
  async stopAsking(node: NodeBoot, leg: string): Promise<CommandResult> {
    for (let turn = 0; ; turn++) {
      const result = await this.#command(node, 'DELETE', `/playbacks/${questionId(leg)}`);
      if (result.kind !== 'done' || turn >= PLAYBACK_TURNS) return result;
      await sleep(PLAYBACK_EVERY_MS);
    }
  }

  async answerLeg(node: NodeBoot, leg: string): Promise<CommandResult> {
    return this.#command(node, 'POST', `${channelPath(leg)}/answer`);
  }

  async joinLegs(node: NodeBoot, room: string, legs: readonly string[]): Promise<CommandResult> {
    const add = (): Promise<CommandResult> =>
      this.#command(node, 'POST', `${bridgePath(room)}/addChannel?channel=${legs.map(encodeURIComponent).join(',')}`);
    if (this.sessions.find(node.nodeId)?.rooms.has(room) !== true) {
      const made = await this.#send(node.nodeId, 'POST', `${bridgePath(room)}?type=mixing`);
      // 409: it was made before, in an earlier session.
      const isThere = made.kind === 'answered' && made.status === 409;
      if (!isThere && toResult(made).kind !== 'done') return toResult(made);
      this.sessions.find(node.nodeId)?.rooms.add(room);
    }
    return add();
  }

  /** A hangup handler of the shipped dial plan. Without it Asterisk writes a warning and we end the partner ourselves. */
  async tieLegs(node: NodeBoot, leg: string, partner: string): Promise<CommandResult> {
    const value = encodeURIComponent(`ringline-partner,s,1(${partner})`);
    return this.#command(
      node,
      'POST',
      `${channelPath(leg)}/variable?variable=CHANNEL(hangup_handler_push)&value=${value}`,
    );
  }

  /**
   * Handlers cannot be taken off one by one, and the admin may have some of his own on the channel: those of ours heed a
   * variable that names the one partner who counts.
   */
  async retieLegs(node: NodeBoot, leg: string, partner: string | null): Promise<CommandResult> {
    const value = encodeURIComponent(partner ?? 'nobody');
    const named = await this.#command(
      node,
      'POST',
      `${channelPath(leg)}/variable?variable=RINGLINE_PARTNER&value=${value}`,
    );
    return named.kind === 'done' && partner !== null ? this.tieLegs(node, leg, partner) : named;
  }

  /** While music plays on a channel, what its bridge sends to it is dropped. */
  async holdLeg(node: NodeBoot, leg: string, held: boolean): Promise<CommandResult> {
    const music = await this.#command(node, held ? 'POST' : 'DELETE', `${channelPath(leg)}/moh`);
    return music.kind === 'done' ? this.muteLeg(node, leg, held) : music;
  }

  async muteLeg(node: NodeBoot, leg: string, muted: boolean): Promise<CommandResult> {
    return this.#command(node, muted ? 'POST' : 'DELETE', `${channelPath(leg)}/mute?direction=in`);
  }

  /** As a NOTIFY about its REFER: 100, 200, 503, 603. All but the first end what it is told. */
  async tellTransfer(node: NodeBoot, leg: string, progress: TransferProgress): Promise<CommandResult> {
    return this.#command(node, 'POST', `${channelPath(leg)}/transfer_progress?states=${transferStates[progress]}`);
  }

  /** Asterisk's own length of a digit, 100 ms, and as much between two: some menus lose faster ones. */
  async sendDigits(node: NodeBoot, leg: string, digits: string): Promise<CommandResult> {
    return this.#command(node, 'POST', `${channelPath(leg)}/dtmf?dtmf=${encodeURIComponent(digits)}`);
  }

  /** 409: there is a recording of this name, in progress or stored. 500: there is no place or no format to write it in. */
  async startRecording(node: NodeBoot, room: string, recording: string, limitSeconds: number): Promise<CommandResult> {
    const app = this.sessions.find(node.nodeId)?.app ?? '';
    // Its end comes when the last channel has left the bridge, and with the channel goes our subscription to the bridge.
    const eventSource = encodeURIComponent(`bridge:${room}`);
    await this.#command(
      node,
      'POST',
      `/applications/${encodeURIComponent(app)}/subscription?eventSource=${eventSource}`,
    );
    const name = encodeURIComponent(recording);
    const answer = await this.#send(
      node.nodeId,
      'POST',
      `${bridgePath(room)}/record?name=${name}&format=wav&ifExists=fail&maxDurationSeconds=${limitSeconds}`,
    );
    if (answer.kind === 'answered' && answer.status === 500) return { kind: 'refused', text: CANNOT_WRITE };
    if (answer.kind !== 'answered' || answer.status !== 409) return toResult(answer);
    for (const path of [livePath(recording), `/recordings/stored/${name}`]) {
      const found = await this.#send(node.nodeId, 'GET', path);
      if (found.kind !== 'answered') return { kind: 'unknown', text: 'the PBX did not say whether it records' };
      if (found.status === 200) return { kind: 'done' };
    }
    return toResult(answer);
  }

  async pauseRecording(node: NodeBoot, recording: string): Promise<CommandResult> {
    return this.#command(node, 'POST', `${livePath(recording)}/pause`);
  }

  async resumeRecording(node: NodeBoot, recording: string): Promise<CommandResult> {
    return this.#command(node, 'DELETE', `${livePath(recording)}/pause`);
  }

  async stopRecording(node: NodeBoot, recording: string): Promise<CommandResult> {
    return this.#command(node, 'POST', `${livePath(recording)}/stop`);
  }

  async closeRoom(node: NodeBoot, room: string): Promise<CommandResult> {
    this.sessions.find(node.nodeId)?.rooms.delete(room);
    return this.#command(node, 'DELETE', bridgePath(room));
  }

  /**
   * `answered_elsewhere` puts `Reason: SIP;cause=200;text="Call completed elsewhere"` (RFC 3326) into the CANCEL; `rejected`
   * is Q.850 cause 21, which a caller over SIP hears as 403.
   */
  async endLeg(node: NodeBoot, leg: string, why: ReleaseReason): Promise<CommandResult> {
    const reason =
      why === 'answered-elsewhere' ? '?reason=answered_elsewhere' : why === 'blocked' ? '?reason=rejected' : '';
    return this.#command(node, 'DELETE', channelPath(leg) + reason);
  }

  async handBack(node: NodeBoot, leg: string): Promise<CommandResult> {
    return this.#command(node, 'POST', `${channelPath(leg)}/continue`);
  }

  async renewLease(node: NodeBoot, leg: string, seconds: number): Promise<CommandResult> {
    return this.#command(node, 'POST', `${channelPath(leg)}/variable?variable=TIMEOUT(absolute)&value=${seconds}`);
  }

  async callerPresence(node: NodeBoot, leg: string): Promise<CallerPresence> {
    const answer = await this.#send(node.nodeId, 'GET', channelPath(leg));
    const app = this.sessions.find(node.nodeId)?.app;
    if (answer.kind !== 'answered' || app === undefined) return 'unknown';
    if (answer.status === 404) return 'gone';
    if (answer.status !== 200) return 'unknown';
    const channel = (answer.body ?? {}) as AriChannel;
    return stasisArgs(channel, app) !== null && channel.state !== 'Up' ? 'waiting' : 'elsewhere';
  }

  async presenceOf(node: NodeBoot, leg: string): Promise<LegPresence> {
    const answer = await this.#send(node.nodeId, 'GET', channelPath(leg));
    if (answer.kind !== 'answered') return 'unknown';
    if (answer.status === 404) return 'gone';
    if (answer.status !== 200) return 'unknown';
    const { state } = (answer.body ?? {}) as { state?: unknown };
    return state === 'Up' ? 'answered' : state === 'Ringing' ? 'ringing' : 'idle';
  }

  async #command(node: NodeBoot, method: 'POST' | 'DELETE', path: string): Promise<CommandResult> {
    return toResult(await this.#send(node.nodeId, method, path));
  }

  /** Null: it is not to be had. */
  async #variable(node: NodeBoot, leg: string, expression: string): Promise<string | null> {
    const variable = encodeURIComponent(expression);
    const answer = await this.#send(node.nodeId, 'GET', `${channelPath(leg)}/variable?variable=${variable}`);
    if (answer.kind !== 'answered' || answer.status !== 200) return null;
    const { value } = (answer.body ?? {}) as { value?: unknown };
    return typeof value === 'string' ? value : null;
  }

  async #send(nodeId: string, ...request: Parameters<AriCommands['send']>): Promise<AriAnswer> {
    const commands = this.sessions.find(nodeId)?.commands;
    if (commands === undefined) return { kind: 'not-sent', text: 'the PBX node is not connected' };
    return commands.send(...request);
  }
}

/** How often it is asked whether a playback has ended, and at which distance, ms: a second in all. */
const PLAYBACK_TURNS = 20;
const PLAYBACK_EVERY_MS = 50;

/** How often the far end of a wire is asked whom it has joined, and at which distance, ms: a second in all. */
const BEYOND_TURNS = 20;
const BEYOND_EVERY_MS = 50;

/**
 * "Press 1 to accept this call, or press 2 to reject it", twice, of Asterisk's core sounds: in the channel's language, where
 * those are installed. A telephone is at the ear a moment after the answer.
 */
const question = ['sound:silence/1', 'sound:followme/options', 'sound:silence/3', 'sound:followme/options'];

function questionId(leg: string): string {
  return `${encodeURIComponent(leg)}-question`;
}

const transferStates: Readonly<Record<TransferProgress, string>> = {
  ringing: 'channel_progress',
  done: 'channel_answered',
  failed: 'channel_unavailable',
  refused: 'channel_declined',
};

const CANNOT_WRITE =
  '500: see that its spool has a folder “recording” which it may write to, and that format_wav.so is loaded';

/** Headers by which phones are told to answer by themselves. */
const autoAnswerHeaders = {
  none: {},
  'call-info': { 'PJSIP_HEADER(add,Call-Info)': '<sip:ringline>;answer-after=0' },
  'alert-info': { 'PJSIP_HEADER(add,Alert-Info)': '<http://ringline>;info=alert-autoanswer;delay=0' },
} as const;

/** A caller's name inside a quoted string of a SIP header: nothing that could end it. */
function displayName(name: string): string {
  return name.replace(/["\\<>\p{Cc}]/gu, '').slice(0, 64);
}

function channelPath(leg: string): string {
  return `/channels/${encodeURIComponent(leg)}`;
}

function bridgePath(room: string): string {
  return `/bridges/${encodeURIComponent(room)}`;
}

function livePath(recording: string): string {
  return `/recordings/live/${encodeURIComponent(recording)}`;
}

function toResult(answer: AriAnswer): CommandResult {
  switch (answer.kind) {
    case 'not-sent':
      return { kind: 'refused', text: answer.text };
    case 'unknown':
      return { kind: 'unknown', text: answer.text };
    case 'answered':
      if (answer.status >= 200 && answer.status < 300) return { kind: 'done' };
      if (answer.status === 404) return { kind: 'gone' };
      return { kind: 'refused', text: `${answer.status} ${describeBody(answer.body)}` };
  }
}

function describeBody(body: unknown): string {
  if (typeof body === 'string') return body;
  const { message, error } = (body ?? {}) as { message?: unknown; error?: unknown };
  const text = message ?? error;
  return typeof text === 'string' ? text : '';
}
