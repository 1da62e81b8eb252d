import { createHash } from 'node:crypto';
import type { Call } from '../../calls/domain/call.js';
import { readNumber } from '../../numbers/phone-number.js';
import { writtenNationally } from '../../numbers/trunk-format.js';
import type { ConnectionRules } from '../connections/connection-rules.js';
import type { CrmCapabilities } from '../port/crm-adapter.js';
import type { CrmCall, CrmNumber } from '../port/crm-objects.js';
import { ownerOf, peopleOf, type KnownAgents } from './call-people.js';
import { wordsOf } from './call-words.js';
import { contactOf, type Links } from './links.js';

/** What a call is told with, beside its record. */
export type Telling = {
  readonly links: Links;
  readonly rules: ConnectionRules;
  readonly agents: KnownAgents;
  /** ISO 3166: whose national numbers the tenant writes. */
  readonly region: string;
  readonly recordingUrl: string | null;
};

/** A call as its CRM is told of it. */
export function callView(call: Call, { links, rules, agents, region, recordingUrl }: Telling): CrmCall {
  const number = numberOf(call, region);
  const people = peopleOf(call, agents);
  const contact = links.picked ?? links.created ?? links.contact ?? null;
  return {
    id: call.id,
    direction: call.direction,
    status: statusOf(call),
    outcome: call.outcome,
    number,
    line: call.line === null ? null : { number: call.line.number, name: call.line.name },
    startedAt: new Date(call.startedAt),
    answeredAt: maybeDate(call.answeredAt),
    endedAt: maybeDate(call.endedAt),
    waitSeconds: call.waitSeconds,
    talkSeconds: call.talkSeconds,
    durationSeconds: call.durationSeconds,
    userId: ownerOf(call, agents) ?? contactOf(links)?.ownerId ?? rules.users.defaultUserId,
    people,
    contact: contact === null ? null : { type: contact.type, id: contact.id },
    ...wordsOf(call, { number, people, timeZone: rules.timeZone }),
    note: call.note,
    disposition: dispositionOf(call, rules),
    tags: call.tags,
    fields: fieldsOf(call, rules),
    cost: call.cost,
    recordingUrl,
  };
}

/** The outside number in the forms in which a CRM may hold it. */
export function numberOf({ remote }: Pick<Call, 'remote'>, region: string): CrmNumber {
  const { e164, raw } = remote;
  if (e164 !== null) return { raw, e164, national: writtenNationally(e164), digits: e164.slice(1) };
  const { kind, extension } = readNumber(raw, region);
  if (kind === 'anonymous') return { raw: '', e164: null, national: null, digits: '' };
  return { raw, e164: null, national: null, digits: extension ?? raw.replace(/\D/g, '') };
}

/**
 * Stands for all that a CRM is told of a call by `updateCall`. Not for its recording, which is a step of its own, as is its note
 * where it lies beside the call.
 */
export function fingerprint(view: CrmCall, { note }: CrmCapabilities): string {
  const told = { ...view, recordingUrl: null, note: note === 'in-call' ? view.note : null };
  return createHash('sha256').update(JSON.stringify(told)).digest('base64url').slice(0, 22);
}

function statusOf({ status }: Call): CrmCall['status'] {
  switch (status) {
    case 'queued':
    case 'dialing':
    case 'ringing':
      return 'ringing';
    case 'answered':
    case 'held':
      return 'talking';
    case 'ended':
      return 'ended';
  }
}

function dispositionOf({ disposition }: Call, { fields }: ConnectionRules): string | null {
  return disposition === null ? null : (fields.dispositions[disposition] ?? disposition);
}

/** What the call does not have leaves its field as it is. */
function fieldsOf(call: Call, rules: ConnectionRules): CrmCall['fields'] {
  const entries = Object.entries(rules.fields.set).flatMap(([name, of]) => {
    const value = valueOf(of, call, rules);
    return value === null ? [] : [[name, value] as const];
  });
  return Object.fromEntries(entries);
}

type CallField = ConnectionRules['fields']['set'][string];

function valueOf(field: CallField, call: Call, rules: ConnectionRules): string | number | null {
  switch (field) {
    case 'id':
    case 'outcome':
    case 'note':
    case 'waitSeconds':
    case 'talkSeconds':
      return call[field];
    case 'reason':
      return call.outcomeReason;
    case 'disposition':
      return dispositionOf(call, rules);
    case 'tags':
      return call.tags.join(', ');
    case 'line':
      return call.line?.number ?? null;
    case 'hangupBy':
      return call.hangup?.by ?? null;
  }
}

function maybeDate(instant: string | null): Date | null {
  return instant === null ? null : new Date(instant);
}
