import { z } from 'zod';
import type { ContactPage } from '../../port/crm-adapter.js';
import type { CrmClient } from '../../port/crm-client.js';
import { done, type Verdict } from '../../port/verdict.js';
import { objectsPath, read } from './hubspot-api.js';
import { changedProperty, pageShape, propertiesFor, SEARCH, toContact, type RecordUrl } from './hubspot-contacts.js';

/**
 * Where the list stands. `all` goes through everybody once, without searching; `changed` through those that changed, oldest
 * change first. `since`: what the next round begins with.
 */
const cursorShape = z.object({
  mode: z.enum(['all', 'changed']),
  kind: z.enum(['contacts', 'companies']),
  after: z.string().nullable(),
  since: z.object({ contacts: z.string(), companies: z.string() }),
});
type Cursor = z.output<typeof cursorShape>;

const PAGE = 100;
/** A search gives no more than this of one question. */
const SEARCH_END = 10_000;
/** The search's index is behind: what was changed last is asked for again. */
const OVERLAP_MS = 120_000;

export async function listContacts(
  client: CrmClient,
  url: RecordUrl,
  text: string | null,
): Promise<Verdict<ContactPage>> {
  const cursor = cursorOf(text);
  const { mode, kind, after, since } = cursor;
  const properties = propertiesFor(kind);
  const answer = await client.request(
    mode === 'all'
      ? {
          method: 'GET',
          path: objectsPath(kind),
          query: { limit: PAGE, properties: properties.join(','), ...(after !== null && { after }) },
        }
      : {
          method: 'POST',
          path: `${objectsPath(kind)}/search`,
          body: {
            json: {
              filterGroups: [
                { filters: [{ propertyName: changedProperty[kind], operator: 'GTE', value: millis(since[kind]) }] },
              ],
              sorts: [{ propertyName: changedProperty[kind], direction: 'ASCENDING' }],
              properties,
              limit: PAGE,
              ...(after !== null && { after }),
            },
          },
          lane: SEARCH,
        },
  );
  const page = read(answer, pageShape);
  if (page.verdict !== 'done') return page;
  const { results, paging } = page.value;
  const newest =
    results
      .map(({ properties: values }) => values[changedProperty[kind]] ?? '')
      .sort()
      .at(-1) ?? '';
  const next = nextOf(cursor, paging?.next.after ?? null, newest, answer.kind === 'answered' ? answer.headers : {});
  return done({
    contacts: results.map((record) => toContact(kind, record, url)),
    cursor: JSON.stringify(next.cursor),
    isLast: next.isLast,
  });
}

const start = new Date(0).toISOString();
const fromTheStart: Cursor = {
  mode: 'all',
  kind: 'contacts',
  after: null,
  since: { contacts: start, companies: start },
};

/** One that cannot be read begins anew. */
function cursorOf(text: string | null): Cursor {
  if (text === null) return fromTheStart;
  try {
    return cursorShape.parse(JSON.parse(text));
  } catch {
    return fromTheStart;
  }
}

function nextOf(
  cursor: Cursor,
  after: string | null,
  newest: string,
  headers: Readonly<Record<string, string>>,
): { readonly cursor: Cursor; readonly isLast: boolean } {
  const { mode, kind } = cursor;
  // By HubSpot's own clock: what changes from now on is asked for once all have been seen.
  const begins = mode === 'all' && cursor.after === null ? earlier(headers['date'] ?? start) : cursor.since[kind];
  const goesOn = after !== null && !(mode === 'changed' && Number(after) >= SEARCH_END);
  if (goesOn) return { cursor: { ...cursor, after, since: { ...cursor.since, [kind]: begins } }, isLast: false };
  const reached = mode === 'all' ? begins : latest(begins, after === null ? earlier(newest) : newest);
  const since = { ...cursor.since, [kind]: reached };
  // So many at once that a search does not reach the end: on from the last change that was seen.
  if (after !== null) return { cursor: { ...cursor, after: null, since }, isLast: false };
  if (kind === 'contacts') return { cursor: { mode, kind: 'companies', after: null, since }, isLast: false };
  return { cursor: { mode: 'changed', kind: 'contacts', after: null, since }, isLast: true };
}

function latest(one: string, other: string): string {
  return millis(other) > millis(one) ? other : one;
}

function earlier(time: string): string {
  const at = Date.parse(time);
  return new Date(Number.isNaN(at) ? 0 : Math.max(0, at - OVERLAP_MS)).toISOString();
}

function millis(time: string): number {
  const at = Date.parse(time);
  return Number.isNaN(at) ? 0 : at;
}
