import { isOurs } from '../../calls/control/legs.js';
import { LOGGED, twiceTold, type Fact } from '../../calls/domain/fact.js';
import type { Sighting } from '../../calls/ledger/told.js';
import { dialledAtFirst, endpointOf, isOriginating, type Observation } from '../observer/translate-observed.js';
import type { CelLine } from './cel-line.js';

type Bare = { readonly kind: Fact['kind']; readonly key?: string; readonly data: unknown };

/**
 * What a line of Asterisk's log tells of a call that the dial plan makes. Pure. Null for what is Ringline's own.
 *
 * The log has no ringing; how the parties met and left it has to the ms.
 */
export function observeCel(line: CelLine): Observation | null {
  if (isOurs({ id: line.channel }) || line.linkedId === '' || line.name === '') return null;
  const isMade = line.channel === line.linkedId && isOriginating(line.name, line.app);
  const all = isMade ? [{ kind: 'originated', data: {} } as const, ...factsOf(line)] : factsOf(line);
  const facts = all.map(
    (fact) =>
      ({
        key: twiceTold.has(fact.kind) ? LOGGED : '',
        ...fact,
        leg: line.channel,
        at: line.at,
        source: 'cel',
      }) as Fact,
  );
  return { leg: line.channel, facts, sighting: sightingOf(line, isMade) };
}

function factsOf(line: CelLine): readonly Bare[] {
  const { linkedId, name, callerNumber, callerName } = line;
  switch (line.event) {
    case 'CHAN_START': {
      const created: Bare = { kind: 'created', data: { side: 'remote', linkedId, sipCallId: null, name } };
      const dialled = line.channel === linkedId ? dialledAtFirst({ id: line.channel, name }, line.exten) : null;
      return dialled === null ? [created] : [created, { kind: 'entered', data: { dialled, callerNumber, callerName } }];
    }
    case 'ANSWER':
      return [{ kind: 'answered', data: {} }, ...inVoicemail(line)];
    case 'APP_START':
      return inVoicemail(line);
    case 'BRIDGE_ENTER':
    case 'BRIDGE_EXIT': {
      const { bridge_id: room, bridge_technology: technology } = line.extra;
      if (typeof room !== 'string' || room === '') return [];
      const key = `${room}@${line.at}`;
      if (line.event === 'BRIDGE_EXIT') return [{ kind: 'parted', key, data: { room } }];
      const kind = technology === 'holding_bridge' ? 'holding' : line.app === 'ConfBridge' ? 'conference' : null;
      return [{ kind: 'joined', key, data: { room, ...(kind !== null && { in: kind }) } }];
    }
    case 'BLINDTRANSFER':
    case 'ATTENDEDTRANSFER':
      return [{ kind: 'passed-on', data: {} }];
    case 'HANGUP': {
      const { hangupcause: cause, hangupsource: asker } = line.extra;
      return [
        // Named is the channel whose party left; else a channel that took this one along, or nobody.
        { kind: 'hangup-asked', data: { byParty: asker === line.name } },
        ...(typeof cause === 'number' && cause > 0
          ? [{ kind: 'cause', key: String(cause), data: { q850: cause } } as const]
          : []),
        ended,
      ];
    }
    case 'CHAN_END':
      return [ended];
    default:
      return [];
  }
}

/** The cause stands beside it: the log may say 0 where an event knows the true one. */
const ended: Bare = { kind: 'ended', data: { q850: null, sip: null, text: null } };

function inVoicemail({ app, event }: CelLine): Bare[] {
  // What is about to begin, or has answered.
  return app === 'VoiceMail' && (event === 'ANSWER' || event === 'APP_START') ? [{ kind: 'voicemail', data: {} }] : [];
}

function sightingOf(line: CelLine, isMade: boolean): Sighting {
  const { channel, linkedId, name, exten: dialled, context, callerNumber, callerName, at } = line;
  const endpoint = endpointOf({ id: channel, name });
  // A leg that was dialled shows as its own number the one that was dialled to reach it, once it has been.
  const wasDialled =
    channel !== linkedId && endpoint !== null && (line.event === 'ANSWER' || line.event === 'CHAN_END');
  return {
    linkedId,
    endpoint,
    entered: channel === linkedId && !isMade ? { dialled, context } : null,
    callerNumber,
    callerName,
    called: wasDialled && callerNumber !== '' ? callerNumber : null,
    shown: null,
    at,
  };
}
