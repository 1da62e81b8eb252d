import { isOurs, isRemoteLegId } from '../../calls/control/legs.js';
import { LOGGED, twiceTold, type Fact, type LegSide } from '../../calls/domain/fact.js';
import type { Translation } from '../translate.js';
import type { CelLine } from './cel-line.js';

type Bare = { readonly kind: Fact['kind']; readonly key?: string; readonly at?: number; readonly data: unknown };

/**
 * What a line of Asterisk's log tells about a driven call, in the words of calls. Pure. Null for what tells nothing of one.
 *
 * The log has no ringing, no SIP status and no SIP Call-ID; those are told by events only.
 * @param app Name of our ARI app on this node.
 * @param startedAt When the line's channel came to be, ms; null when that line was not seen.
 * @param near The leg at the near end of a wire of which the line's channel is the far end; null where it is none.
 */
export function translateCel(
  line: CelLine,
  app: string,
  startedAt: number | null,
  near: string | null = null,
): Translation | null {
  if (near !== null) return beyondWire(line, near);
  const tell = (...facts: readonly Bare[]): Translation => ({
    leg: line.channel,
    facts: facts.map(
      (fact) =>
        ({
          key: twiceTold.has(fact.kind) ? LOGGED : '',
          at: line.at,
          ...fact,
          leg: line.channel,
          source: 'cel',
        }) as Fact,
    ),
  });
  switch (line.event) {
    case 'CHAN_START':
      // Whether another's channel concerns us is known when it enters our app.
      return isOurs({ id: line.channel }) ? tell(created(line, line.at)) : null;
    case 'APP_START': {
      const args = appArguments(line, app);
      if (args === null || isOurs({ id: line.channel })) return null;
      const [kind, did] = args;
      const at = startedAt ?? latestStart(line);
      // Put into the place of a leg of ours by the switch itself; the dial plan gives arguments.
      if (kind === undefined) return tell(created(line, at, 'agent'));
      if (kind !== 'inbound') return null;
      return {
        ...tell(created(line, at)),
        arrival: { did: did ?? '', callerNumber: line.callerNumber, callerName: line.callerName, at },
      };
    }
    case 'APP_END':
      return appArguments(line, app) === null ? null : tell({ kind: 'left-control', data: {} });
    case 'ANSWER':
      return tell({ kind: 'answered', data: {} });
    case 'BRIDGE_ENTER':
    case 'BRIDGE_EXIT': {
      const room = line.extra['bridge_id'];
      if (typeof room !== 'string' || room === '') return null;
      const kind = line.event === 'BRIDGE_ENTER' ? 'joined' : 'parted';
      return tell({ kind, key: `${room}@${line.at}`, data: { room } });
    }
    case 'HANGUP': {
      const { hangupcause: cause, hangupsource: asker } = line.extra;
      return tell(
        // Named is the channel whose party left; else a channel that took this one along, a command, or nobody.
        { kind: 'hangup-asked', data: { byParty: asker === line.name } },
        ...(typeof cause === 'number' && cause > 0
          ? [{ kind: 'cause', key: String(cause), data: { q850: cause } } as const]
          : []),
        ended,
      );
    }
    case 'CHAN_END':
      return tell(ended);
    default:
      return null;
  }
}

/**
 * The far end of a wire is no leg of a call. But where the party beyond it left, the log names who asked for the end there only:
 * the near end just ends.
 */
function beyondWire({ event, extra, at }: CelLine, near: string): Translation | null {
  const { hangupsource: asker } = extra;
  if (event !== 'HANGUP' || typeof asker !== 'string' || asker === '') return null;
  const left = { kind: 'hangup-asked', data: { byParty: true } } as const;
  return { leg: near, facts: [{ ...left, leg: near, key: LOGGED, at, source: 'cel' }] };
}

/** The cause stands beside it: the log may say 0 where an event knows the true one. */
const ended: Bare = { kind: 'ended', data: { q850: null, sip: null, text: null } };

function created({ channel, linkedId, name }: CelLine, at: number, side = sideOf(channel)): Bare {
  return {
    kind: 'created',
    at,
    data: { side, linkedId: linkedId === '' ? null : linkedId, sipCallId: null, name: name === '' ? null : name },
  };
}

function sideOf(channel: string): LegSide {
  return isOurs({ id: channel }) && !isRemoteLegId(channel) ? 'agent' : 'remote';
}

/** Arguments that our app was given; null when the line is about another application. */
function appArguments({ app: application, appData }: CelLine, app: string): readonly string[] | null {
  if (application.toLowerCase() !== 'stasis') return null;
  const [first, ...args] = appData.split(',');
  return first === app ? args : null;
}

/** A channel is named by the second in which it came to be: it did so within that. */
function latestStart({ channel, at }: CelLine): number {
  const second = Number(/(?:^|-)(\d{9,11})\.\d+$/.exec(channel)?.[1] ?? Infinity);
  return Math.min(second * 1000 + 999, at);
}
