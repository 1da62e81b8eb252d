import { isOurs } from '../../calls/control/legs.js';
import { gatherLeg } from '../../calls/domain/call-state.js';
import type { Fact } from '../../calls/domain/fact.js';
import type { AriChannel } from '../ari-frame.js';
import { parseAriTime } from '../ari-time.js';
import { presentFacts, stasisArgs, type Snapshot } from '../reconcile.js';
import {
  enteredFacts,
  isOriginated,
  linkedIdOf,
  originatedFact,
  sightingOf,
  type Observation,
} from './translate-observed.js';

type Linked = { readonly channel: AriChannel; readonly linkedId: string };

/**
 * What a snapshot shows of calls of the dial plan that no event told of: they began while the switch was not heard. When they were
 * answered is an estimate, and when the parties met is when their bridge came to be. Pure.
 * @param isKnown Whether it is known whose leg that is, by its id.
 */
export function unheardCalls(snapshot: Snapshot, isKnown: (leg: string) => boolean): readonly Observation[] {
  const { app, channels } = snapshot;
  const unheard = channels.flatMap((channel): Linked[] => {
    const linkedId = linkedIdOf(channel);
    if (linkedId === null || isOurs(channel) || isKnown(channel.id) || stasisArgs(channel, app) !== null) return [];
    return [{ channel, linkedId }];
  });
  const there = new Set(channels.map(({ id }) => id));
  const gone = new Set(unheard.map(({ linkedId }) => linkedId).filter((root) => !there.has(root) && !isKnown(root)));
  return [
    ...[...gone].map((root) => goneRoot(root, unheard, snapshot)),
    ...unheard.map((linked) => present(linked, snapshot)),
  ];
}

function present({ channel, linkedId }: Linked, snapshot: Snapshot): Observation {
  const { takenAt } = snapshot;
  const isMade = isOriginated(channel, linkedId, null);
  const facts = [
    ...enteredFacts(channel, linkedId, takenAt, 'reconcile'),
    ...(isMade ? [originatedFact(channel, takenAt, 'reconcile')] : []),
    ...presentFacts(gatherLeg(channel.id, [], 0), channel, snapshot, takenAt, true),
  ];
  const sighting = sightingOf(channel, linkedId, takenAt, isMade);
  // Who was dialled shows as his own number the one that was dialled to reach him.
  const called = channel.dialplan?.app_name === 'AppDial' && sighting.endpoint !== null ? sighting.callerNumber : '';
  return { leg: channel.id, facts, sighting: { ...sighting, called: called || null } };
}

/** The leg with which a conversation began may have left it to others, and nothing is known of it but that. */
function goneRoot(root: string, unheard: readonly Linked[], { takenAt }: Snapshot): Observation {
  const made = unheard.flatMap(({ channel, linkedId }) =>
    linkedId === root ? (parseAriTime(channel.creationtime) ?? takenAt) : [],
  );
  const at = Math.min(takenAt, ...made);
  const fact = { leg: root, key: '', at, source: 'estimate' } as const;
  const facts: Fact[] = [
    { ...fact, kind: 'created', data: { side: 'remote', linkedId: root, sipCallId: null, name: null } },
    { ...fact, kind: 'entered', data: { dialled: '', callerNumber: '', callerName: '' } },
    { ...fact, kind: 'ended', at: takenAt, data: { q850: null, sip: null, text: null } },
  ];
  const sighting = { linkedId: root, endpoint: null, entered: null, callerNumber: '', callerName: '' };
  return { leg: root, facts, sighting: { ...sighting, called: null, shown: null, at } };
}
