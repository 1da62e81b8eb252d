// npm run bench -- matching [--json FILE] [--contacts 1000000] [--lookups 5000] [--region RU] [--seed 1] [--show]
import { writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';

import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { Chance } from '../lab/replay/chance.js';
import { startLab } from '../lab/start-lab.js';
import { newId } from '../src/common/ids.js';
import { ContactIndex } from '../src/contacts/contact-index.js';
import { rankMatches } from '../src/contacts/match.js';
import { soughtNumber } from '../src/contacts/number-forms.js';
import type { CrmContact } from '../src/crm/port/crm-objects.js';
import { createDataSource } from '../src/database/data-source.js';
import {
  countries,
  e164Of,
  subscriber,
  twinOf,
  writtenByHand,
  writtenForLookup,
  type Country,
  type Subscriber,
} from './dirty-numbers.js';
import { quantile, round } from './statistics.js';

const { values } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    contacts: { type: 'string', default: '1000000' },
    lookups: { type: 'string', default: '5000' },
    region: { type: 'string', default: 'RU' },
    seed: { type: 'string', default: '1' },
    show: { type: 'boolean', default: false },
  },
});
const [contacts, lookups, seed] = [Number(values.contacts), Number(values.lookups), Number(values.seed)];
const home = countries.find((country) => country === values.region);
if (home === undefined) throw new Error(`--region is one of ${countries.join(', ')}`);
const region: Country = home;
/** Contacts that have the number of another one: families, colleagues, duplicates. */
const SHARED = 0.03;
/** Those who have in another country what ends as another's number. */
const TWINS = 0.03;
/** Who has two numbers, and who has them in one field. */
const SECOND = 0.25;
const IN_ONE_FIELD = 0.2;
/** Callers whom the CRM does not have: half of them anybody, half with a contact's last ten digits but for the country, or one digit off. */
const STRANGERS = 0.2;
const BATCH = 1_000;
/** Before the clock runs. */
const WARM_UP = 300;
const say = (line: string): void => void process.stderr.write(`${line}\n`);

type Query = { readonly text: string; readonly e164: string; readonly country: Country };
type Way = { right: number; wrong: number; missed: number; firstIsRight: number };
const ways = ['ringline', 'last10Digits', 'e164Equal'] as const;
type WayName = (typeof ways)[number];

/** The same for the same contact, whenever it is asked. */
function chanceOf(what: number, n: number): Chance {
  return new Chance(Math.imul(n + 1, 0x9e3779b1) ^ Math.imul(what + seed, 0x85ebca6b));
}

function firstNumber(n: number): Subscriber {
  const chance = chanceOf(1, n);
  return subscriber(chance, chance.pick(countries));
}

function numbersOf(n: number): readonly Subscriber[] {
  const chance = chanceOf(2, n);
  const other = firstNumber(chance.below(contacts));
  let own = firstNumber(n);
  if (chance.isBelow(SHARED)) own = other;
  else if (chance.isBelow(TWINS)) own = twinOf(other, chance) ?? own;
  return chance.isBelow(SECOND) ? [own, subscriber(chance, own.country)] : [own];
}

function contactOf(n: number): CrmContact {
  const chance = chanceOf(3, n);
  const written = numbersOf(n).map((one) => writtenByHand(chance, one, region));
  const numbers = chance.isBelow(IN_ONE_FIELD) ? [written.join(chance.pick(['; ', ', ', ' / ', '\n']))] : written;
  const kind = chance.pick(['contact', 'contact', 'contact', 'lead', 'company'] as const);
  return { type: kind, id: String(n), kind, name: `Contact ${n}`, company: null, ownerId: null, numbers, url: null };
}

function queryOf(n: number): Query {
  const chance = chanceOf(4, n);
  let one = chance.pick(numbersOf(chance.below(contacts)));
  if (chance.isBelow(STRANGERS)) {
    const twin = twinOf(one, chance);
    one = chance.isBelow(0.5) ? subscriber(chance, chance.pick(countries)) : (twin ?? oneDigitOff(one, chance));
  }
  return { text: writtenForLookup(chance, one, region), e164: e164Of(one), country: one.country };
}

function oneDigitOff(one: Subscriber, chance: Chance): Subscriber {
  const last = one.groups.at(-1) ?? '';
  const at = chance.below(last.length);
  const digit = String((Number(last[at]) + 1 + chance.below(9)) % 10);
  return { ...one, groups: [...one.groups.slice(0, -1), last.slice(0, at) + digit + last.slice(at + 1)] };
}

/** What went wrong, for whoever improves it. */
function show({ text, e164 }: Query, found: readonly string[], right: ReadonlySet<string>): void {
  const numbers = (ids: readonly string[]) => ids.map((id) => contactOf(Number(id)).numbers);
  const [wrong, missed] = [found.filter((id) => !right.has(id)), [...right].filter((id) => !found.includes(id))];
  if (wrong.length + missed.length > 0)
    say(JSON.stringify({ text, e164, wrong: numbers(wrong), missed: numbers(missed) }));
}

const last10 = (text: string): string => text.replace(/\D/g, '').slice(-10);
/** As one does it who has a library and one number a field. */
const e164By = (text: string): string | null => parsePhoneNumberFromString(text, region)?.number ?? null;

const lab = await startLab({ asterisk: false, redis: false });
const source = await createDataSource(await lab.postgres.createDatabase()).initialize();
try {
  await source.runMigrations();
  const ref = { tenantId: newId(), id: newId() };
  await source.query(
    `insert into tenant (id, name, region, dial_rules, limits, retention) values ($1, 'Acme', $2, '{}', '{}', '{}')`,
    [ref.tenantId, region],
  );
  await source.query(
    `insert into crm_connection (tenant_id, id, adapter, name, status, settings, door_hash, rules)
     values ($1, $2, 'any', 'CRM', 'enabled', '{}', '', '{}')`,
    [ref.tenantId, ref.id],
  );
  const queries = Array.from({ length: lookups }, (_, n) => queryOf(n));
  // What the simple ways would find is noted for what is looked up alone.
  const truth = new Map(queries.map(({ e164 }) => [e164, new Set<string>()]));
  const byLast10 = new Map(queries.map(({ text }) => [last10(text), new Set<string>()]));
  const byE164 = new Map(queries.map(({ text }) => [e164By(text) ?? '', new Set<string>()]));
  const index = new ContactIndex(source);
  const startedAt = performance.now();
  for (let from = 0; from < contacts; from += BATCH) {
    const batch: CrmContact[] = [];
    for (let n = from; n < Math.min(contacts, from + BATCH); n++) {
      const contact = contactOf(n);
      batch.push(contact);
      for (const one of numbersOf(n)) truth.get(e164Of(one))?.add(contact.id);
      for (const field of contact.numbers) {
        byLast10.get(last10(field))?.add(contact.id);
        byE164.get(e164By(field) ?? 'unread')?.add(contact.id);
      }
    }
    await index.upsertContacts(ref, batch);
    if ((from / BATCH) % 50 === 49)
      say(`${from + BATCH} contacts in ${Math.round((performance.now() - startedAt) / 1000)} s`);
  }
  const storedPerSecond = round(contacts / ((performance.now() - startedAt) / 1000));
  await source.query('analyze contact, contact_number');
  const [sizes] = await source.query(
    `select (select count(*)::int from contact) as contacts, (select count(*)::int from contact_number) as numbers,
            (pg_total_relation_size('contact') / 1048576)::int as "contactMiB", (pg_total_relation_size('contact_number') / 1048576)::int as "numberMiB"`,
  );

  const totals = new Map<string, Way>();
  const count = (way: WayName, country: string, found: readonly string[], right: ReadonlySet<string>): void => {
    for (const key of [`${way} all`, `${way} ${country}`]) {
      const one = totals.get(key) ?? { right: 0, wrong: 0, missed: 0, firstIsRight: 0 };
      const hits = found.filter((id) => right.has(id)).length;
      one.right += hits;
      one.wrong += found.length - hits;
      one.missed += right.size - hits;
      if (right.size > 0 && right.has(found[0] ?? '')) one.firstIsRight++;
      totals.set(key, one);
    }
  };
  const lookUp = async ({ text }: Query): Promise<readonly string[]> => {
    const sought = soughtNumber(text, region);
    if (sought === null) return [];
    return rankMatches(sought, await index.find(ref.tenantId, sought, []), null).map(({ id }) => id);
  };
  for (const query of queries.slice(0, WARM_UP)) await lookUp(query);
  const took: number[] = [];
  for (const query of queries) {
    const at = performance.now();
    const found = await lookUp(query);
    took.push(performance.now() - at);
    const right = truth.get(query.e164) ?? new Set();
    if (values.show) show(query, found, right);
    count('ringline', query.country, found, right);
    count('last10Digits', query.country, [...(byLast10.get(last10(query.text)) ?? [])], right);
    count('e164Equal', query.country, [...(byE164.get(e164By(query.text) ?? '') ?? [])], right);
  }
  const known = queries.filter(({ e164 }) => (truth.get(e164)?.size ?? 0) > 0).length;
  const figuresOf = (way: WayName, country: string) => {
    const { right, wrong, missed, firstIsRight } = totals.get(`${way} ${country}`) ?? {
      right: 0,
      wrong: 0,
      missed: 0,
      firstIsRight: 0,
    };
    const of = (part: number, whole: number): number => Math.round((part / whole) * 10_000) / 10_000;
    return {
      precision: of(right, right + wrong),
      recall: of(right, right + missed),
      ...(country === 'all' && { firstIsRight: of(firstIsRight, known) }),
    };
  };
  const results = Object.fromEntries(
    ways.map((way) => [
      way,
      {
        ...figuresOf(way, 'all'),
        byCountry: Object.fromEntries(countries.map((country) => [country, figuresOf(way, country)])),
      },
    ]),
  );
  const latency = {
    p50Ms: round(quantile(took, 0.5)),
    p99Ms: round(quantile(took, 0.99)),
    mostMs: round(Math.max(...took)),
  };
  const machine = {
    cpus: cpus().length,
    model: cpus()[0]?.model ?? '',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
  };
  const figures = JSON.stringify(
    { machine, region, seed, ...sizes, storedPerSecond, lookups, known, latency, ways: results },
    null,
    2,
  );
  if (values.json !== undefined) await writeFile(values.json, `${figures}\n`);
  process.stdout.write(`${figures}\n`);
  const { ringline, ...simple } = results;
  const isBetter = Object.values(simple).every(
    (one) => (ringline?.recall ?? 0) > one.recall && (ringline?.precision ?? 0) >= one.precision,
  );
  process.exitCode = latency.p99Ms < 10 && isBetter ? 0 : 1;
} finally {
  await source.destroy();
  await lab.stop();
}
