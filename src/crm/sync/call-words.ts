import type { Call, OutcomeReason } from '../../calls/domain/call.js';
import type { CrmNumber, CrmPerson } from '../port/crm-objects.js';

/** What a CRM is told in words, for people. */
export type CallWords = { readonly subject: string; readonly summary: string };

type Told = { readonly number: CrmNumber; readonly people: readonly CrmPerson[]; readonly timeZone: string };

export function wordsOf(call: Call, { number, people, timeZone }: Told): CallWords {
  const who = partyName(call, number);
  const what = kindOf(call);
  const sentences = [
    `${what} ${preposition(call)} ${who}${lineOf(call)}, ${timeIn(call.startedAt, timeZone)} (${timeZone}).`,
    ...talk(call, people),
    ...rangInVain(people),
    ...ending(call),
    ...(call.tags.length > 0 ? [`Tags: ${call.tags.join(', ')}.`] : []),
    ...(call.estimated ? ['Some of these times were estimated after a gap.'] : []),
    ...(call.mergedInto === null ? [] : [`It became part of another call, ${call.mergedInto}.`]),
  ];
  return { subject: `${what} ${preposition(call)} ${who}`, summary: sentences.join('\n') };
}

/** A number with the name that was shown with it. */
export function partyName({ remote }: Pick<Call, 'remote'>, number: CrmNumber): string {
  if (number.raw === '') return 'a caller who hides the number';
  const shown = number.e164 ?? number.raw;
  return remote.name === null || remote.name === number.raw ? shown : `${remote.name} (${shown})`;
}

function kindOf({ direction, outcome, answeredAt, endedAt }: Call): string {
  if (direction === 'internal')
    return answeredAt === null && endedAt !== null ? 'Unanswered internal call' : 'Internal call';
  if (direction === 'outbound') return answeredAt === null && endedAt !== null ? 'Unanswered call' : 'Outgoing call';
  if (outcome === 'blocked') return 'Blocked call';
  if (outcome === 'voicemail') return 'Voicemail';
  return answeredAt === null && endedAt !== null ? 'Missed call' : 'Incoming call';
}

function preposition({ direction }: Call): string {
  return direction === 'inbound' ? 'from' : direction === 'outbound' ? 'to' : 'with';
}

function lineOf({ line }: Call): string {
  return line === null ? '' : `, line ${line.name} (${line.number})`;
}

/** Several who answered: it went from one to the next. */
function talk(call: Call, people: readonly CrmPerson[]): readonly string[] {
  if (call.answeredAt === null) return [];
  const waited = call.direction === 'inbound' && call.waitSeconds > 0 ? [`Waited ${lasting(call.waitSeconds)}.`] : [];
  const talked = people.filter(({ part }) => part === 'answered');
  const [first, ...others] = talked;
  if (first === undefined)
    return [...waited, ...(call.talkSeconds > 0 ? [`Talked ${lasting(call.talkSeconds)}.`] : [])];
  const withTime = ({ name, talkSeconds }: CrmPerson): string =>
    talkSeconds > 0 ? `${name} (${lasting(talkSeconds)})` : name;
  if (others.length === 0) {
    return [...waited, `Talked with ${call.endedAt === null ? first.name : withTime(first)}.`];
  }
  return [
    ...waited,
    `Talked with ${withTime(first)}, then ${others.map(withTime).join(', then ')}.`,
    ...(call.talkSeconds > 0 ? [`Talked ${lasting(call.talkSeconds)} in all.`] : []),
  ];
}

function rangInVain(people: readonly CrmPerson[]): readonly string[] {
  const names = people.filter(({ part }) => part === 'rang').map(({ name }) => name);
  return names.length === 0 ? [] : [`Rang in vain: ${names.join(', ')}.`];
}

function ending({ endedAt, answeredAt, outcomeReason, hangup, direction }: Call): readonly string[] {
  if (endedAt === null) return [];
  if (answeredAt === null) return outcomeReason === null ? [] : [`${reasons[outcomeReason]}.`];
  switch (hangup?.by) {
    case 'remote':
      return [`The ${direction === 'inbound' ? 'caller' : 'other party'} hung up.`];
    case 'agent':
      return ['The agent hung up.'];
    case 'api':
      return ['It was ended from an application.'];
    case 'system':
    case 'unknown':
    case undefined:
      return [];
  }
}

const reasons: Readonly<Record<OutcomeReason, string>> = {
  talked: 'They talked',
  'agent-no-answer': 'Nobody of ours answered',
  'agent-busy': 'Our phone was busy',
  'agent-rejected': 'It was declined on our side',
  'agent-hung-up': 'Our side hung up',
  abandoned: 'It was given up before they were joined',
  'device-unreachable': 'None of our phones could be reached',
  'caller-gave-up': 'The caller gave up',
  'handed-back': 'It went back to the telephone system',
  'remote-busy': 'The other party was busy',
  'remote-no-answer': 'The other party did not answer',
  'remote-rejected': 'The other party declined',
  'remote-unavailable': 'The other party could not be reached',
  'remote-hung-up': 'The other party hung up before it was answered',
  'invalid-number': 'There is no such number',
  'trunk-refused': 'The provider refused it',
  'trunk-unreachable': 'The provider could not be reached',
  congestion: 'The network was congested',
  'cancelled-by-api': 'It was cancelled from an application',
  'blocked-number': 'The number is on the block list',
  'service-stopped': 'Ringline was stopped',
  overloaded: 'More calls came than could be served',
  'node-restart': 'The telephone system was restarted',
  unknown: 'It is not known why it was not answered',
};

/** Such as `4 min 2 s`. */
export function lasting(seconds: number): string {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  const parts = [h > 0 && `${h} h`, m > 0 && `${m} min`, (s > 0 || seconds === 0) && `${s} s`];
  return parts.filter((part) => part !== false).join(' ');
}

/** Such as `1 March 2026, 10:30:00`. */
export function timeIn(instant: string, timeZone: string): string {
  const part = (options: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat('en-GB', { timeZone, ...options }).format(new Date(instant));
  return `${part({ dateStyle: 'long' })}, ${part({ timeStyle: 'medium' })}`;
}
