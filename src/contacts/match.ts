import type { CrmContact, ObjectRef } from '../crm/port/crm-objects.js';
import type { NumberForms, SoughtNumber } from './number-forms.js';

/**
 * How the number agrees, the best first. Only matches of the best kind that was met are shown: somebody whose number merely ends
 * alike is no help beside somebody who has it. Beside `exact` stand those of `national` whose number means nothing in the tenant’s
 * country, and so no other one.
 */
export const agreements = ['exact', 'national', 'extension', 'last-digits'] as const;
export type Agreement = (typeof agreements)[number];

/** Why somebody is a match, and stands where he does. */
export const matchReasons = [
  'picked',
  ...agreements,
  'same-extension',
  'other-extension',
  'contact',
  'lead',
  'company',
  'owner',
  'talked',
] as const;
export type MatchReason = (typeof matchReasons)[number];

/**
 * What each reason weighs. A pick outweighs everything, an extension everything else but that; a person stands before a lead, a lead
 * before a company, whoever owns them; an owner before the one who was talked to last. How the number agrees is the same for all
 * that are shown, but for those that were picked.
 */
export const weights: Readonly<Record<MatchReason, number>> = {
  picked: 1000,
  exact: 300,
  national: 200,
  extension: 200,
  'last-digits': 100,
  'same-extension': 100,
  'other-extension': -50,
  contact: 40,
  lead: 20,
  company: 0,
  owner: 10,
  talked: 5,
};

/** Somebody who may be meant, by one of his numbers. */
export type Candidate = ObjectRef &
  Omit<CrmContact, 'numbers'> & {
    readonly connectionId: string;
    /** Null when only a pick leads to him. */
    readonly number: NumberForms | null;
    readonly isPicked: boolean;
    /** When this number was last talked to as his, ms since the epoch. */
    readonly talkedAt: number | null;
    /** CRM users of agents, in his CRM. */
    readonly users: Readonly<Record<string, string>>;
  };

export type ContactMatch = ObjectRef &
  Omit<CrmContact, 'numbers'> & {
    readonly connectionId: string;
    /** As the CRM has it; null when it has another one, and an agent picked him. */
    readonly number: string | null;
    /** Null when only a pick leads to him. */
    readonly agreement: Agreement | null;
    readonly score: number;
    readonly reasons: readonly MatchReason[];
    readonly lastTalkAt: string | null;
  };

/**
 * Who it may be, the likeliest first. The order of the candidates changes nothing.
 * @param agentId whose call it is; null where it is nobody's
 */
export function rankMatches(
  sought: SoughtNumber,
  candidates: readonly Candidate[],
  agentId: string | null,
): readonly ContactMatch[] {
  const met = candidates.flatMap((candidate) => {
    const agreement = agreementOf(sought, candidate.number);
    return agreement === null && !candidate.isPicked ? [] : [{ candidate, agreement }];
  });
  const best = agreements.find((one) => met.some(({ agreement }) => agreement === one));
  const shown = met.filter(
    ({ agreement, candidate: { isPicked, number } }) =>
      agreement === best || isPicked || (best === 'exact' && agreement === 'national' && number?.e164 === null),
  );
  const newest = Math.max(...shown.map(({ candidate }) => candidate.talkedAt ?? -Infinity));
  const matches = shown.map(({ candidate, agreement }) => toMatch(sought, candidate, agreement, agentId, newest));
  const byContact = new Map<string, ContactMatch>();
  for (const match of matches.toSorted(compare)) {
    const key = JSON.stringify([match.connectionId, match.type, match.id]);
    if (!byContact.has(key)) byContact.set(key, match);
  }
  return [...byContact.values()];
}

/** How a contact's number agrees with the one that is sought. */
export function agreementOf(sought: SoughtNumber, number: NumberForms | null): Agreement | null {
  if (number === null) return null;
  if (sought.national === null) {
    const isShort = number.e164 === null && number.national === null;
    return isShort && sought.extension !== null && sought.extension === number.extension ? 'extension' : null;
  }
  if (number.national === null) return null;
  if (sought.e164 !== null && number.e164 === sought.e164) return 'exact';
  // Two countries have the same number: it is another's, where both are sure of theirs.
  if (sought.e164 !== null && number.isInternational) return null;
  if (number.national === sought.national) return 'national';
  // What could be read as a whole is not the end of another one.
  if (sought.e164 !== null && number.e164 !== null) return null;
  const [short, long] = [number.national, sought.national].toSorted((a, b) => a.length - b.length) as [string, string];
  return number.lastDigits === sought.lastDigits && long.endsWith(short) ? 'last-digits' : null;
}

function toMatch(
  sought: SoughtNumber,
  candidate: Candidate,
  agreement: Agreement | null,
  agentId: string | null,
  newestTalk: number,
): ContactMatch {
  const { isPicked, users, talkedAt, number, ...contact } = candidate;
  const { connectionId, type, id, kind, name, company, ownerId, url } = contact;
  const reasons = [
    isPicked && 'picked',
    agreement,
    agreement !== 'extension' && agreement !== null && extensionReason(sought, number),
    kind,
    agentId !== null && ownerId !== null && users[agentId] === ownerId && 'owner',
    talkedAt !== null && talkedAt === newestTalk && 'talked',
  ].filter((reason): reason is MatchReason => typeof reason === 'string');
  return {
    connectionId,
    type,
    id,
    kind,
    name,
    company,
    ownerId,
    url,
    number: number?.given ?? null,
    agreement,
    score: reasons.reduce((sum, reason) => sum + weights[reason], 0),
    reasons,
    lastTalkAt: talkedAt === null ? null : new Date(talkedAt).toISOString(),
  };
}

/** One number of a company, and extensions behind it. Nothing is said of who has none, and of a caller who shows none. */
function extensionReason(sought: SoughtNumber, number: NumberForms | null): MatchReason | null {
  if (sought.extension === null || number?.extension == null) return null;
  return sought.extension === number.extension ? 'same-extension' : 'other-extension';
}

function compare(a: ContactMatch, b: ContactMatch): number {
  return (
    b.score - a.score ||
    compareTexts(b.lastTalkAt ?? '', a.lastTalkAt ?? '') ||
    compareTexts(a.connectionId, b.connectionId) ||
    compareTexts(a.type, b.type) ||
    compareTexts(a.id, b.id) ||
    compareTexts(a.number ?? '', b.number ?? '')
  );
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
