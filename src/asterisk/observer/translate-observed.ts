import type { Fact, FactSource, RoomKind } from '../../calls/domain/fact.js';
import type { Sighting } from '../../calls/ledger/told.js';
import type { AriBridge, AriChannel, AriFrame } from '../ari-frame.js';
import { parseAriTime } from '../ari-time.js';
import { createdFact } from '../translate.js';
import type { FirstSight } from './first-sights.js';

/** Types that an observer reads; the switch is asked to send no others. */
export const observedTypes = [
  'ChannelCreated',
  'ChannelStateChange',
  'ChannelHangupRequest',
  'ChannelDestroyed',
  'ChannelEnteredBridge',
  'ChannelLeftBridge',
  'ChannelHold',
  'ChannelUnhold',
  'BridgeBlindTransfer',
  'BridgeAttendedTransfer',
  'Dial',
  'ApplicationReplaced',
] as const;

/** What one frame tells about one leg of a dial plan. */
export type Observation = { readonly leg: string; readonly facts: readonly Fact[]; readonly sighting: Sighting };

/**
 * What an ARI event tells about a call that the dial plan makes. Pure but for `firstSight`. A frame about two legs tells of each.
 * @param now Used where an event carries no time, ms.
 */
export function translateObserved(
  frame: AriFrame,
  now: number,
  firstSight: (channel: AriChannel) => FirstSight,
): readonly Observation[] {
  const at = parseAriTime(frame.timestamp) ?? now;
  const about = (channel: AriChannel | undefined, ...facts: readonly Bare[]): Observation[] => {
    if (channel === undefined) return [];
    const linkedId = linkedIdOf(channel);
    if (linkedId === null) return [];
    const isMade = isOriginated(channel, linkedId, frame);
    const told = facts.map((fact) => ({ key: '', data: {}, ...fact, leg: channel.id, at, source: 'switch' }) as Fact);
    if (isMade) told.unshift(originatedFact(channel, at, 'switch'));
    const sight = firstSight(channel);
    if (sight !== null) told.unshift(createdFact(channel, at, 'switch'));
    if (sight === 'leg') told.unshift(...enteredFacts(channel, linkedId, at, 'switch'));
    return told.length === 0
      ? []
      : [{ leg: channel.id, facts: told, sighting: sightingOf(channel, linkedId, at, isMade) }];
  };
  const { channel, bridge } = frame;
  switch (frame.type) {
    case 'ChannelCreated':
      return about(channel);
    case 'ChannelStateChange':
      if (channel?.state === 'Ringing') return about(channel, { kind: 'ringing' });
      if (channel?.state !== 'Up') return about(channel);
      return about(channel, { kind: 'answered' }, ...inVoicemail(channel));
    case 'Dial':
      // Who dials may not have been seen since we were connected.
      return [...about(frame.caller), ...dialTold(frame, about)];
    case 'ChannelEnteredBridge': {
      if (bridge === undefined) return [];
      const kind = roomKind(bridge);
      return about(channel, {
        kind: 'joined',
        key: `${bridge.id}@${at}`,
        data: { room: bridge.id, ...(kind !== null && { in: kind }) },
      });
    }
    case 'ChannelLeftBridge':
      return bridge === undefined
        ? []
        : about(channel, { kind: 'parted', key: `${bridge.id}@${at}`, data: { room: bridge.id } });
    case 'ChannelHold':
    case 'ChannelUnhold':
      return about(channel, { kind: frame.type === 'ChannelHold' ? 'held' : 'resumed', key: String(at) });
    case 'BridgeBlindTransfer':
      return frame.result === 'Success' ? about(channel, { kind: 'passed-on' }) : about(channel);
    case 'BridgeAttendedTransfer': {
      if (frame.result !== 'Success') return [];
      const kept = about(frame.transferer_first_leg, { kind: 'passed-on' });
      // The linked id of whom was asked changes with his next event, which may come after the customer's last.
      const asked = about(frame.transferer_second_leg, { kind: 'passed-on' }).map((one) => ({
        ...one,
        sighting: { ...one.sighting, linkedId: kept[0]?.sighting.linkedId ?? one.sighting.linkedId },
      }));
      return [...asked, ...kept];
    }
    case 'ChannelHangupRequest': {
      const { cause } = frame;
      return about(
        channel,
        { kind: 'hangup-asked', data: { byParty: frame.soft !== true } },
        ...(typeof cause === 'number' && cause > 0
          ? [{ kind: 'cause', key: String(cause), data: { q850: cause } } as const]
          : []),
        ...inVoicemail(channel),
      );
    }
    case 'ChannelDestroyed':
      return about(channel, {
        kind: 'ended',
        data: { q850: frame.cause ?? null, sip: frame.tech_cause ?? null, text: frame.cause_txt ?? null },
      });
    default:
      return [];
  }
}

type Bare = { readonly kind: Fact['kind']; readonly key?: string; readonly data?: unknown };
type About = (channel: AriChannel | undefined, ...facts: readonly Bare[]) => Observation[];

/** An empty status says that the switch has sent the invitation, and where to. */
function dialTold({ caller, peer, dialstatus = '', dialstring = '' }: AriFrame, about: About): readonly Observation[] {
  const [found] = about(
    peer,
    ...(dialstatus === '' ? [{ kind: 'dialling' } as const] : []),
    ...(dialstatus === 'RINGING' ? [{ kind: 'ringing' } as const] : []),
    ...(dialstatus === 'PROGRESS' ? [{ kind: 'progress' } as const] : []),
  );
  if (found === undefined) return [];
  // `<number>@<trunk>`; what rings a phone is `<endpoint>` or `<endpoint>/<contact>`.
  const number = /^([^@/]+)@[^@/]+$/.exec(dialstring)?.[1] ?? null;
  const called = found.sighting.endpoint === null ? null : number;
  const shown = called === null ? null : (caller?.caller?.number ?? null);
  return [{ ...found, sighting: { ...found.sighting, called, shown } }];
}

export function enteredFacts(channel: AriChannel, linkedId: string, at: number, source: FactSource): Fact[] {
  const dialled = dialledAtFirst(channel, channel.dialplan?.exten ?? '');
  if (channel.id !== linkedId || dialled === null) return [];
  const { number = '', name = '' } = channel.caller ?? {};
  const data = { dialled, callerNumber: number, callerName: name };
  // As of now, not of when the leg came to be: the dial plan has gone on since then, so who saw it first knows best.
  return [{ leg: channel.id, kind: 'entered', key: '', at, source, data }];
}

export function originatedFact({ id: leg }: AriChannel, at: number, source: FactSource): Fact {
  return { leg, kind: 'originated', key: '', at, source, data: {} };
}

/**
 * Whether the switch itself made the leg with which a conversation begins. A channel of PJSIP is `Ring` from its beginning where
 * somebody came in by it, and `Down` where he is called.
 * @param frame What it is seen in; none for a snapshot.
 */
export function isOriginated(channel: AriChannel, linkedId: string, frame: AriFrame | null): boolean {
  if (channel.id !== linkedId) return false;
  if (isOriginating(channel.name, channel.dialplan?.app_name)) return true;
  if (frame?.type === 'Dial') return frame.caller === undefined && frame.peer?.id === channel.id;
  const isNew = frame?.type === 'ChannelCreated' && channel.state === 'Down';
  return isNew && channel.name?.startsWith('PJSIP/') === true;
}

/**
 * Whether the switch rings somebody for itself by a leg with which a conversation begins: it is a wire, or Asterisk names this
 * application (main/dial.c). Who is rung by `Dial` has `AppDial`.
 */
export function isOriginating(name: string | undefined, app: string | undefined): boolean {
  return rungByWire(name) !== null || app === 'AppDial2';
}

/**
 * Whom a leg dials with which a conversation begins: by a wire it is who is rung by it.
 * @param exten Where it came into the dial plan.
 * @returns null for one with which none can begin, being neither a party nor such a wire.
 */
export function dialledAtFirst(channel: AriChannel, exten: string): string | null {
  return rungByWire(channel.name) ?? (endpointOf(channel) === null ? null : exten);
}

/** `Local/1001@from-internal-0000002a;1` is the end that the switch keeps of a wire to 1001; null for what is none. */
export function rungByWire(name: string | undefined): string | null {
  return /^Local\/(.+)@[^@]*-[0-9a-f]{8};1$/s.exec(name ?? '')?.[1] ?? null;
}

export function sightingOf(channel: AriChannel, linkedId: string, at: number, isMade: boolean): Sighting {
  const { exten = '', context = '' } = channel.dialplan ?? {};
  return {
    linkedId,
    endpoint: endpointOf(channel),
    entered: channel.id === linkedId && !isMade ? { dialled: exten, context } : null,
    callerNumber: channel.caller?.number ?? '',
    callerName: channel.caller?.name ?? '',
    called: null,
    shown: null,
    at: parseAriTime(channel.creationtime) ?? at,
  };
}

/** The leg that the switch counts it to; null where its events are not made to say so. */
export function linkedIdOf({ channelvars }: AriChannel): string | null {
  return channelvars?.['CHANNEL(linkedid)'] || null;
}

/** Technologies of channels that are nobody's: wires, and what the switch itself listens, plays and records by. */
const INSIDE: ReadonlySet<string> = new Set([
  'Local',
  'Announcer',
  'AudioSocket',
  'CBAnn',
  'CBRec',
  'MulticastRTP',
  'Recorder',
  'Snoop',
  'Surrogate',
  'UnicastRTP',
  'WebSocket',
]);

/**
 * `PJSIP/alice-0000002a` belongs to the endpoint `alice`, `IAX2/provider-4321` to `provider`, `DAHDI/i1/0301234567-2f` to the ISDN
 * span `i1`; a Local channel to none.
 */
export function endpointOf({ name = '' }: AriChannel): string | null {
  const [, technology = '', endpoint] = /^([^/]+)\/(.+)-[0-9a-f]+$/s.exec(name) ?? [];
  if (endpoint === undefined || INSIDE.has(technology)) return null;
  return technology === 'DAHDI' ? endpoint.replace(/^(i\d+)\/.*$/s, '$1') : endpoint;
}

function inVoicemail(channel: AriChannel | undefined): Bare[] {
  return channel?.state === 'Up' && channel.dialplan?.app_name === 'VoiceMail' ? [{ kind: 'voicemail' }] : [];
}

/** What a room is for, where it is not for two parties to talk. */
export function roomKind({ bridge_type: type, creator }: AriBridge): RoomKind | null {
  if (type === 'holding') return 'holding';
  return creator === 'ConfBridge' ? 'conference' : null;
}
