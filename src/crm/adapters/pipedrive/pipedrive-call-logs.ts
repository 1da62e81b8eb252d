import { z } from 'zod';
import { cut } from '../../port/cut.js';
import type { CrmClient } from '../../port/crm-client.js';
import type { CrmCall, CrmRecording } from '../../port/crm-objects.js';
import { withOwnHtmlLines } from '../../port/own-lines-html.js';
import { linesOfCall } from '../../port/own-lines.js';
import { done, type Verdict } from '../../port/verdict.js';
import { ask, cost, create, dataOf, idShape, numberOf, textShape, timeOf } from './pipedrive-api.js';

const SUBJECT_LENGTH = 255;
const NOTE_LENGTH = 100_000;
/** A call log must have a number that was called, even where none is known. */
const UNKNOWN_NUMBER = 'unknown';
const PAGE = 50;
const MOST_PAGES = 20;
/** How far before the call the search for it goes, ms: nothing between the same two clocks takes longer. */
const SEARCH_BACK_MS = 60_000;

const outcomes = ['connected', 'no_answer', 'left_message', 'left_voicemail', 'wrong_number', 'busy'] as const;

const logShape = z.object({
  id: idShape,
  activity_id: z.number().nullish().catch(null),
  subject: textShape,
  note: textShape,
  start_time: textShape,
  has_recording: z.boolean().catch(false),
});

/** Once, complete: a call log cannot be changed. */
export async function makeCallLog(client: CrmClient, call: CrmCall): Promise<Verdict<string>> {
  const request = {
    method: 'POST',
    path: '/v1/callLogs',
    body: { json: fieldsOf(call) },
    cost: cost.v1.write,
  } as const;
  const made = await create(client, request, dataOf(z.object({ id: idShape })));
  return made.verdict === 'done' ? done(made.value.data.id) : made;
}

function fieldsOf(call: CrmCall): Record<string, unknown> {
  const { direction, number, line, startedAt, endedAt, durationSeconds, userId } = call;
  const outside = number.e164 ?? number.raw;
  const own = line?.number ?? '';
  const [from, to] = direction === 'inbound' ? [outside, own] : [own, outside];
  const end = endedAt ?? new Date(startedAt.getTime() + durationSeconds * 1000);
  const user = numberOf(userId);
  return {
    outcome: outcomeOf(call),
    subject: cut(call.subject, SUBJECT_LENGTH),
    duration: String(Math.round(call.talkSeconds)),
    ...(from !== '' && { from_phone_number: from }),
    to_phone_number: to === '' ? UNKNOWN_NUMBER : to,
    start_time: timeOf(startedAt),
    end_time: timeOf(end),
    note: withOwnHtmlLines(null, linesOfCall(call, { id: true, recording: true }), NOTE_LENGTH),
    ...(user !== undefined && { user_id: user }),
    ...linkOf(call),
    ...call.fields,
  };
}

function linkOf({ contact }: CrmCall): Record<string, unknown> {
  if (contact === null) return {};
  switch (contact.type) {
    case 'person':
      return { person_id: numberOf(contact.id) };
    case 'organization':
      return { org_id: numberOf(contact.id) };
    case 'lead':
      return { lead_id: contact.id };
    default:
      return {};
  }
}

function outcomeOf({ outcome, disposition }: CrmCall): (typeof outcomes)[number] {
  const chosen = outcomes.find((one) => one === disposition);
  if (chosen !== undefined) return chosen;
  switch (outcome) {
    case 'answered':
      return 'connected';
    case 'busy':
      return 'busy';
    case 'voicemail':
      return 'left_voicemail';
    case 'missed':
    case 'no-answer':
    case 'rejected':
    case 'failed':
    case 'cancelled':
    case 'blocked':
    case null:
      return 'no_answer';
  }
}

/** By our id in its note. The newest come first, as far as they do: what began before it ends the search. */
export async function findCallLog(client: CrmClient, call: CrmCall): Promise<Verdict<string | null>> {
  const shape = z.object({
    data: z.array(logShape).nullish(),
    additional_data: z
      .object({ pagination: z.object({ more_items_in_collection: z.boolean().catch(false) }).nullish() })
      .nullish()
      .catch(null),
  });
  const earliest = timeOf(new Date(call.startedAt.getTime() - SEARCH_BACK_MS));
  for (let page = 0; page < MOST_PAGES; page++) {
    const query = { start: page * PAGE, limit: PAGE };
    const listed = await ask(client, { method: 'GET', path: '/v1/callLogs', query, cost: cost.v1.list }, shape);
    if (listed.verdict !== 'done') return listed;
    const logs = listed.value.data ?? [];
    const found = logs.find(({ note, subject }) => `${note ?? ''}\n${subject ?? ''}`.includes(call.id));
    if (found !== undefined) return done(found.id);
    const isMore = listed.value.additional_data?.pagination?.more_items_in_collection === true;
    const times = logs.map(({ start_time: time }) => time ?? '');
    const isNewestFirst = times.every((time, at) => at === 0 || time <= (times[at - 1] ?? ''));
    if (!isMore || logs.length === 0 || (isNewestFirst && (times[0] ?? '') < earliest)) return done(null);
  }
  return {
    verdict: 'rejected',
    why: `The call is not among the last ${PAGE * MOST_PAGES} call logs; look for it by hand.`,
  };
}

async function readLog(client: CrmClient, id: string): Promise<Verdict<z.output<typeof logShape>>> {
  const path = `/v1/callLogs/${encodeURIComponent(id)}`;
  const log = await ask(client, { method: 'GET', path, cost: cost.v1.one }, dataOf(logShape));
  return log.verdict === 'done' ? done(log.value.data) : log;
}

/** A call log has one. Whether it is there is asked first: a second upload would cost as much again. */
export async function uploadRecording(client: CrmClient, id: string, recording: CrmRecording): Promise<Verdict> {
  const log = await readLog(client, id);
  if (log.verdict !== 'done') return log;
  if (log.value.has_recording) return done();
  const { fileName, contentType } = recording;
  const multipart = [{ name: 'file', value: await recording.read(), fileName, contentType }];
  const path = `/v1/callLogs/${encodeURIComponent(id)}/recordings`;
  const sent = await ask(client, { method: 'POST', path, body: { multipart }, cost: cost.v1.write }, z.unknown());
  return sent.verdict === 'done' ? done() : sent;
}

/** Its activity first: only the call log knows which that is. */
export async function removeCallLog(client: CrmClient, id: string): Promise<Verdict> {
  const log = await readLog(client, id);
  if (log.verdict !== 'done') return log;
  const activity = log.value.activity_id;
  if (activity != null) {
    const removed = await ask(
      client,
      { method: 'DELETE', path: `/v2/activities/${activity}`, cost: cost.v2.remove },
      z.unknown(),
    );
    if (removed.verdict !== 'done' && removed.verdict !== 'gone') return removed;
  }
  const path = `/v1/callLogs/${encodeURIComponent(id)}`;
  const removed = await ask(client, { method: 'DELETE', path, cost: cost.v1.remove }, z.unknown());
  return removed.verdict === 'done' ? done() : removed;
}
