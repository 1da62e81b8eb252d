import { isAgentLegId, isOurs } from '../calls/control/legs.js';
import { isGuardedLegId } from '../calls/control/outside-legs.js';
import { recordingOfName } from '../calls/control/recording-ids.js';
import type { Fact, FactSource } from '../calls/domain/fact.js';
import type { Arrival } from '../calls/ledger/told.js';
import { isPartyName } from '../numbers/dial-endpoint.js';
import { cleanText } from '../numbers/number-text.js';
import type { AriChannel, AriFrame, AriRecording } from './ari-frame.js';
import { parseAriTime } from './ari-time.js';
import { ATTENDED } from './attended-wire.js';

/** What one frame tells about one leg. */
export type Translation = { readonly leg: string; readonly facts: readonly Fact[]; readonly arrival?: Arrival };

/** Types that Ringline reads; the switch is asked to send no others. */
export const readTypes = [
  'StasisStart',
  'StasisEnd',
  'ChannelStateChange',
  'ChannelHangupRequest',
  'ChannelDestroyed',
  'ChannelEnteredBridge',
  'ChannelLeftBridge',
  'ChannelHold',
  'ChannelUnhold',
  'ChannelTransfer',
  'ChannelDtmfReceived',
  'Dial',
  'RecordingStarted',
  'RecordingFinished',
  'RecordingFailed',
  'ApplicationReplaced',
  'ChannelUserevent',
] as const;

/**
 * Keys that somebody presses in a talk are nobody's business, a PIN among them: such a frame is not looked at, nor kept. Only
 * who is asked to press 1 is heard.
 * @param text A frame as it came.
 */
export function isPrivate(text: string): boolean {
  return text.includes('"ChannelDtmfReceived"') && !/"id": ?"rl-[0-9a-f-]{36}-g\d+"/.test(text);
}

/** Longer than any number; what a phone sends may be kilobytes. */
const MOST_DIALLED = 300;

/**
 * What an ARI event tells, in the words of calls. Pure. Null for what tells nothing about a call.
 * @param now Used where an event carries no time, ms.
 */
export function translate(frame: AriFrame, now: number): Translation | null {
  const { channel } = frame;
  const at = parseAriTime(frame.timestamp) ?? now;
  const about = (leg: string, ...facts: readonly Bare[]): Translation => ({
    leg,
    facts: facts.map((fact) => ({ key: '', ...fact, leg, at, source: 'switch' }) as Fact),
  });
  switch (frame.type) {
    case 'StasisStart':
      return channel === undefined ? null : started(channel, frame, at);
    case 'StasisEnd':
      return channel === undefined ? null : about(channel.id, { kind: 'left-control', data: {} });
    case 'ChannelStateChange':
      if (channel?.state === 'Ringing') return about(channel.id, { kind: 'ringing', data: {} });
      if (channel?.state === 'Up') return about(channel.id, { kind: 'answered', data: {} });
      return null;
    case 'Dial':
      return frame.peer === undefined || !isOurs(frame.peer)
        ? null
        : dialled(frame.peer.id, frame.dialstatus ?? '', about);
    case 'ChannelEnteredBridge':
    case 'ChannelLeftBridge': {
      if (channel === undefined || frame.bridge === undefined) return null;
      const kind = frame.type === 'ChannelEnteredBridge' ? 'joined' : 'parted';
      return about(channel.id, { kind, key: `${frame.bridge.id}@${at}`, data: { room: frame.bridge.id } });
    }
    case 'ChannelHold':
    case 'ChannelUnhold':
      return channel === undefined
        ? null
        : about(channel.id, { kind: frame.type === 'ChannelHold' ? 'held' : 'resumed', key: String(at), data: {} });
    case 'ChannelTransfer': {
      const leg = frame.referred_by?.source_channel?.id;
      const { requested_destination: wanted, connected_channel: consulted } = frame.refer_to ?? {};
      // Those with a state tell what became of one.
      if (leg === undefined || wanted === undefined || frame.state !== undefined) return null;
      const name = consulted?.name ?? '';
      const data = {
        to: storable(wanted.destination),
        // A party of ours is in a call of its own, and cannot be fetched out of it.
        ...(wanted.protocol_id !== undefined && {
          consulted: consulted !== undefined && isPartyName(name) && !isOurs(consulted) ? name : null,
        }),
      };
      return about(leg, { kind: 'transfer-wished', key: `@${at}`, data });
    }
    case 'ChannelDtmfReceived':
      return channel === undefined || !isGuardedLegId(channel.id)
        ? null
        : about(channel.id, { kind: 'key-pressed', data: { one: frame.digit === '1' } });
    case 'ChannelHangupRequest': {
      if (channel === undefined) return null;
      const { cause } = frame;
      return about(
        channel.id,
        // `soft`: a command, a timer or a handler of the switch; else the party's own BYE or refusal.
        { kind: 'hangup-asked', data: { byParty: frame.soft !== true } },
        ...(typeof cause === 'number' && cause > 0
          ? [{ kind: 'cause', key: String(cause), data: { q850: cause } } as const]
          : []),
      );
    }
    case 'ChannelDestroyed':
      return channel === undefined
        ? null
        : about(channel.id, {
            kind: 'ended',
            data: { q850: frame.cause ?? null, sip: frame.tech_cause ?? null, text: frame.cause_txt ?? null },
          });
    case 'RecordingStarted':
    case 'RecordingFinished':
    case 'RecordingFailed': {
      const ours = recordingOfName(frame.recording?.name ?? '');
      if (ours === null) return null;
      return about(ours.callId, { key: ours.recordingId, ...recorded(frame.type, frame.recording) });
    }
    default:
      return null;
  }
}

function recorded(
  type: 'RecordingStarted' | 'RecordingFinished' | 'RecordingFailed',
  recording: AriRecording | undefined,
): Bare {
  switch (type) {
    case 'RecordingStarted':
      return { kind: 'recording-started', data: {} };
    case 'RecordingFinished':
      return { kind: 'recording-finished', data: { seconds: wholeSeconds(recording?.duration) } };
    case 'RecordingFailed':
      return {
        kind: 'recording-failed',
        data: { reason: `The PBX could not record: ${recording?.cause ?? 'it does not say why'}.` },
      };
  }
}

/** A length that can be one: -1 and the like say nothing. */
function wholeSeconds(duration: number | undefined): number | null {
  return Number.isInteger(duration) && duration !== undefined && duration >= 0 && duration < 1e6 ? duration : null;
}

type Bare = { readonly kind: Fact['kind']; readonly key?: string; readonly data: unknown };

function dialled(
  leg: string,
  status: string,
  about: (leg: string, ...facts: Bare[]) => Translation,
): Translation | null {
  switch (status) {
    case '':
      return about(leg, { kind: 'dialling', data: {} });
    case 'RINGING':
      return about(leg, { kind: 'ringing', data: {} });
    case 'PROGRESS':
      return about(leg, { kind: 'progress', data: {} });
    default:
      // ANSWER comes with the change of state; failures come with the end of the leg.
      return null;
  }
}

/** A leg is under our control: one we made, or a caller whom the dial plan gave us with `Stasis(app,inbound,DID)`. */
function started(channel: AriChannel, { args = [], replace_channel: replaced }: AriFrame, at: number): Translation {
  if (isOurs(channel)) return { leg: channel.id, facts: [createdFact(channel, at, 'switch')] };
  if (replaced !== undefined && isAgentLegId(replaced.id)) return tookOver(channel, replaced, at);
  return arrived(channel, args, at, 'switch');
}

/** What was dialled, as the database takes it: the first half of a pair of surrogates is no text either. */
function storable(text: string | undefined): string {
  return cleanText((text ?? '').slice(0, MOST_DIALLED));
}

/**
 * A phone transferred its call and Asterisk carried that out: it put a wire to the target into the phone's place in our room
 * (stasis_bridge.c). The wire leads to the extension that was dialled; in an attended transfer to the other room.
 */
function tookOver(channel: AriChannel, replaced: AriChannel, at: number): Translation {
  const created = createdFact(channel, at, 'switch') as Extract<Fact, { kind: 'created' }>;
  const { context, exten } = channel.dialplan ?? {};
  const to = storable(context === ATTENDED.context && exten === ATTENDED.exten ? channel.caller?.number : exten);
  return {
    leg: replaced.id,
    facts: [
      { leg: replaced.id, kind: 'taken-over', key: '', at, source: 'switch', data: { by: channel.id, to } },
      { ...created, data: { ...created.data, side: 'agent' } },
    ],
  };
}

/** A caller, from the event of the arrival or from a snapshot. Without a number dialled it leads to no line. */
export function arrived(channel: AriChannel, args: readonly string[], at: number, source: FactSource): Translation {
  return {
    leg: channel.id,
    facts: [createdFact(channel, at, source)],
    arrival: {
      did: args[0] === 'inbound' ? (args[1] ?? '') : '',
      callerNumber: channel.caller?.number ?? '',
      callerName: channel.caller?.name ?? '',
      at: parseAriTime(channel.creationtime) ?? at,
    },
  };
}

/** That a leg exists, since when, and what it is called elsewhere. */
export function createdFact(channel: AriChannel, at: number, source: FactSource): Fact {
  return {
    leg: channel.id,
    kind: 'created',
    key: '',
    at: parseAriTime(channel.creationtime) ?? at,
    source,
    data: {
      side: isAgentLegId(channel.id) ? 'agent' : 'remote',
      linkedId: channel.channelvars?.['CHANNEL(linkedid)'] ?? null,
      // Not there yet where the channel has just come to be.
      sipCallId: channel.protocol_id || null,
      name: channel.name ?? null,
    },
  };
}
