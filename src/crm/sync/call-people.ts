import type { Call, Participant } from '../../calls/domain/call.js';
import type { CrmPerson } from '../port/crm-objects.js';

/** An agent as a connection knows him. */
export type KnownAgent = { readonly name: string; readonly userId: string | null };
export type KnownAgents = ReadonlyMap<string, KnownAgent>;

/** Somebody of the company, each once, in the order in which they came into the call. */
export function peopleOf(call: Call, agents: KnownAgents): readonly CrmPerson[] {
  const byWhom = new Map<string, CrmPerson>();
  for (const participant of inOrder(call.participants)) {
    const part = partOf(participant);
    if (part === null) continue;
    const key = participant.agentId ?? participant.number?.raw ?? participant.device ?? '';
    const before = byWhom.get(key);
    byWhom.set(key, {
      ...nameOf(participant, agents),
      part: before?.part === 'answered' ? 'answered' : part,
      talkSeconds: (before?.talkSeconds ?? 0) + participant.talkSeconds,
    });
  }
  return [...byWhom.values()];
}

/** Who talked last, else who was sought first: of those, one whom the CRM knows. */
export function ownerOf(call: Call, agents: KnownAgents): string | null {
  const userOf = ({ agentId }: Participant): string | null =>
    agentId === null ? null : (agents.get(agentId)?.userId ?? null);
  const talkers = call.participants
    .filter((participant) => partOf(participant) === 'answered')
    .toSorted((a, b) => (b.answeredAt ?? '').localeCompare(a.answeredAt ?? ''));
  const sought = inOrder(call.participants.filter(({ role }) => role !== 'supervisor'));
  return [...talkers, ...sought].map(userOf).find((id) => id !== null) ?? null;
}

/** Who listens in is no party, and whose phone never rang was not there. */
function partOf({ role }: Participant): CrmPerson['part'] | null {
  switch (role) {
    case 'answered':
    case 'transferred':
      return 'answered';
    case 'rang':
      return 'rang';
    case 'requested':
    case 'supervisor':
      return null;
  }
}

function nameOf({ agentId, number, device }: Participant, agents: KnownAgents): Pick<CrmPerson, 'userId' | 'name'> {
  const agent = agentId === null ? undefined : agents.get(agentId);
  if (agent !== undefined) return agent;
  return { userId: null, name: number?.name ?? number?.e164 ?? number?.raw ?? device ?? 'somebody' };
}

/** By when each came; those whose time is not known stay where they are, behind the others. */
function inOrder(participants: readonly Participant[]): readonly Participant[] {
  const at = ({ ringingAt, answeredAt }: Participant): string => ringingAt ?? answeredAt ?? '~';
  return participants.toSorted((a, b) => (at(a) < at(b) ? -1 : at(a) > at(b) ? 1 : 0));
}
