import type { Prepared } from '../database/prepared.js';

/** Of one number no more are looked at: a company's may stand at thousands of its people. */
const MOST_ROWS = 100;
/** Of the calls with it. */
const MOST_CALLS = 50;

/**
 * Who may have a number: by each form one index, weak ones only where no strong one found anybody.
 * $1 tenant, $2 e164, $3 national, $4 last digits, $5 extension of a short number, $6 key of picks, $7 agents
 */
export const lookUp: Prepared = {
  name: 'contact-look-up',
  text: `
with exact as (
  select * from contact_number where tenant_id = $1 and e164 = $2
  order by connection_id, type, id, place limit ${MOST_ROWS}
), nationally as (
  select * from contact_number
  where tenant_id = $1 and national = $3 and not (is_international and $2::text is not null)
    and (e164 is null or not exists (select from exact))
  order by connection_id, type, id, place limit ${MOST_ROWS}
), short as (
  select * from contact_number where tenant_id = $1 and extension = $5 and e164 is null and national is null
  order by connection_id, type, id, place limit ${MOST_ROWS}
), alike as (
  select * from contact_number
  where tenant_id = $1 and last_digits = $4 and ($2::text is null or e164 is null)
    and not exists (select from exact) and not exists (select from nationally)
  order by connection_id, type, id, place limit ${MOST_ROWS}
), found as (
  select * from exact union all select * from nationally union all select * from short union all select * from alike
), picked as (
  select distinct on (connection_id) connection_id, type, id from contact_pick
  where tenant_id = $1 and number = $6 order by connection_id, picked_at desc, call_id desc
), wanted as (
  select connection_id, type, id, place from found
  union all
  select connection_id, type, id, null from picked p
  where not exists (select from found f where (f.connection_id, f.type, f.id) = (p.connection_id, p.type, p.id))
), calls as (
  select id, started_at from call where tenant_id = $1 and remote_e164 = $2 and outcome = 'answered'
  order by started_at desc limit ${MOST_CALLS}
), talks as (
  select connection_id, type, id, max(started_at) as at from (
    select s.connection_id, s.links->'contact'->>'type' as type, s.links->'contact'->>'id' as id, c.started_at
    from calls c join crm_sync s on s.tenant_id = $1 and s.call_id = c.id
    union all
    select p.connection_id, p.type, p.id, c.started_at
    from calls c join contact_pick p on p.tenant_id = $1 and p.call_id = c.id
  ) t group by connection_id, type, id
)
select c.connection_id as "connectionId", c.type, c.id, c.kind, c.name, c.company, c.owner_id as "ownerId", c.url,
       n.given, n.e164, n.national, n.is_international as "isInternational", n.last_digits as "lastDigits", n.extension,
       p.id is not null as "isPicked", t.at as "talkedAt",
       (select coalesce(jsonb_object_agg(a.id, coalesce(k.rules->'users'->'map'->>a.id::text, a.crm_users->>k.id::text)), '{}')
          from agent a where a.tenant_id = $1 and a.id = any($7::uuid[])) as users
from wanted w
join contact c on c.tenant_id = $1 and (c.connection_id, c.type, c.id) = (w.connection_id, w.type, w.id)
join crm_connection k on k.tenant_id = $1 and k.id = c.connection_id
left join contact_number n on n.tenant_id = $1 and (n.connection_id, n.type, n.id, n.place) = (w.connection_id, w.type, w.id, w.place)
left join picked p on (p.connection_id, p.type, p.id) = (c.connection_id, c.type, c.id)
left join talks t on (t.connection_id, t.type, t.id) = (c.connection_id, c.type, c.id)`,
};

/** Contacts as a CRM gave them, in the order of their keys: who stores the same ones at a time waits, and does not lock up. */
export const storeContacts = `
insert into contact (tenant_id, connection_id, type, id, kind, name, company, owner_id, url, synced_at)
select $1, $2, type, id, kind, name, company, "ownerId", url, now()
from json_to_recordset($3::json) as c (type text, id text, kind text, name text, company text, "ownerId" text, url text)
order by type, id
on conflict (tenant_id, connection_id, type, id) do update
set kind = excluded.kind, name = excluded.name, company = excluded.company, owner_id = excluded.owner_id,
  url = excluded.url, synced_at = excluded.synced_at`;

/** Numbers that contacts do not have any more. $3 contacts, $4 numbers */
export const dropNumbers = `
delete from contact_number n using json_to_recordset($3::json) as c (type text, id text)
where n.tenant_id = $1 and n.connection_id = $2 and n.type = c.type and n.id = c.id
  and not exists (
    select from json_to_recordset($4::json) as m (type text, id text, place smallint)
    where (m.type, m.id, m.place) = (n.type, n.id, n.place)
  )`;

/** $3 numbers. What is as it was is not written again. */
export const storeNumbers = `
insert into contact_number
  (tenant_id, connection_id, type, id, place, given, e164, national, is_international, last_digits, extension)
select $1, $2, type, id, place, given, e164, national, "isInternational", "lastDigits", extension
from json_to_recordset($3::json) as m (type text, id text, place smallint, given text, e164 text, national text,
  "isInternational" boolean, "lastDigits" text, extension text)
order by type, id, place
on conflict (tenant_id, connection_id, type, id, place) do update
set given = excluded.given, e164 = excluded.e164, national = excluded.national,
  is_international = excluded.is_international, last_digits = excluded.last_digits, extension = excluded.extension
where (contact_number.given, contact_number.e164, contact_number.national, contact_number.is_international,
       contact_number.last_digits, contact_number.extension)
  is distinct from (excluded.given, excluded.e164, excluded.national, excluded.is_international,
       excluded.last_digits, excluded.extension)`;
