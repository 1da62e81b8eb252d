import type { CrmCall, CrmNumber, CrmTask } from '../../port/crm-objects.js';
import { significantDigits } from '../../port/significant-digits.js';
import type { Value } from './values.js';

type Scope = { readonly [name: string]: Value };

export function numberScope(number: CrmNumber): Scope {
  const { raw, e164, national, digits } = number;
  return {
    raw,
    e164,
    national,
    digits,
    significant: significantDigits(number),
    best: e164 ?? (raw === '' ? null : raw),
  };
}

/** Every name is there, also where a call has nothing of it, so that names can be checked before there is a call. */
export function callScope(call: CrmCall): Scope {
  const { number, line, contact, cost, people, status, outcome, tags, fields } = call;
  const answered = people.filter(({ part }) => part === 'answered');
  return {
    id: call.id,
    direction: call.direction,
    status,
    /** What most CRMs have a word for. */
    state: status !== 'ended' ? 'open' : outcome === 'answered' ? 'answered' : 'unanswered',
    outcome,
    wasAnswered: call.answeredAt !== null,
    number: numberScope(number),
    line: { number: line?.number ?? null, name: line?.name ?? null },
    /** Who called whom, by direction. */
    from: call.direction === 'inbound' ? (numberScope(number)['best'] ?? null) : (line?.number ?? null),
    to: call.direction === 'inbound' ? (line?.number ?? null) : (numberScope(number)['best'] ?? null),
    startedAt: call.startedAt,
    answeredAt: call.answeredAt,
    endedAt: call.endedAt,
    waitSeconds: call.waitSeconds,
    talkSeconds: call.talkSeconds,
    durationSeconds: call.durationSeconds,
    userId: call.userId,
    talked: answered.map(({ name }) => name),
    contact: { type: contact?.type ?? null, id: contact?.id ?? null },
    subject: call.subject,
    summary: call.summary,
    note: call.note,
    disposition: call.disposition,
    tags,
    fields,
    cost: { amount: cost?.amount ?? null, currency: cost?.currency ?? null },
    recordingUrl: call.recordingUrl,
  };
}

export function taskScope({ subject, text, userId, dueAt }: CrmTask): Scope {
  return { subject, text, userId, dueAt };
}

const nobody: CrmNumber = { raw: '', e164: null, national: null, digits: '' };
const noCall: CrmCall = {
  id: '',
  direction: 'inbound',
  status: 'ringing',
  outcome: null,
  number: nobody,
  line: null,
  startedAt: new Date(0),
  answeredAt: null,
  endedAt: null,
  waitSeconds: 0,
  talkSeconds: 0,
  durationSeconds: 0,
  userId: null,
  people: [],
  contact: null,
  subject: '',
  summary: '',
  note: null,
  disposition: null,
  tags: [],
  fields: {},
  cost: null,
  recordingUrl: null,
};

function namesIn(scope: Scope, under: string): readonly string[] {
  return Object.entries(scope).flatMap(([name, value]) => {
    const isGroup = typeof value === 'object' && value !== null && !(value instanceof Date) && !Array.isArray(value);
    const path = `${under}.${name}`;
    return isGroup && name !== 'fields' ? namesIn(value as Scope, path) : [path];
  });
}

/** Names of values, by the part of a description that may use them. A name that ends with `.*`: whatever is below it. */
export const namesOf = {
  connection: ['connection.url'],
  number: namesIn(numberScope(nobody), 'number'),
  call: [...namesIn(callScope(noCall), 'call'), 'call.fields.*'],
  task: namesIn(taskScope({ subject: '', text: '', userId: '', dueAt: new Date(0) }), 'task'),
  recording: ['id', 'fileName', 'contentType', 'durationSeconds', 'url', 'base64'].map((name) => `recording.${name}`),
} as const;
