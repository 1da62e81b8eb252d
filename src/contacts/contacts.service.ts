import { Inject, Injectable, Optional } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Problem } from '../common/problems.js';
import { Database } from '../database/database.js';
import type { Actor } from '../tenancy/actor.js';
import { ContactLookup, matchesFor } from './contact-lookup.js';
import type { ContactLookupView, LookUpContactsQuery, PickContact, PickedContact } from './contacts.schema.js';
import { soughtNumber } from './number-forms.js';
import { PickListener } from './pick-listener.js';

type Remote = { readonly raw: string; readonly e164: string | null; readonly region: string };

/** Who has a number, and whom an agent takes its owner for. Everything is read and done for one tenant. */
@Injectable()
export class ContactsService {
  constructor(
    private readonly database: Database,
    private readonly lookup: ContactLookup,
    @Optional() @Inject(PickListener) private readonly listener?: PickListener,
  ) {}

  /** @throws {Problem} `not-found` for the agent */
  async lookUp({ tenantId }: Actor, { number, agentId }: LookUpContactsQuery): Promise<ContactLookupView> {
    const [tenant]: { region: string; hasAgent: boolean }[] = await this.database.source.query(
      `select t.region, $2::uuid is null or exists (select from agent where tenant_id = t.id and id = $2) as "hasAgent"
       from tenant t where t.id = $1`,
      [tenantId, agentId ?? null],
    );
    if (tenant?.hasAgent !== true) {
      throw new Problem('not-found', { detail: 'There is no such agent.', field: 'agentId' });
    }
    // A + that was not escaped is a space in a query.
    const sought = soughtNumber(number.replace(/^ (?=[0-9])/, '+'), tenant.region);
    if (sought === null) return { e164: null, matches: [], asked: [] };
    const { candidates, asked } = await this.lookup.find(tenantId, sought, agentId === undefined ? [] : [agentId]);
    const matches = matchesFor(sought, candidates, agentId ?? null);
    return {
      e164: sought.e164,
      matches: matches.map((match) => ({ ...match, reasons: [...match.reasons] })),
      asked: [...asked],
    };
  }

  /** The newest pick counts, for the call and for its number. @throws {Problem} `not-found` */
  async pick({ tenantId }: Actor, callId: string, picked: PickContact): Promise<PickedContact> {
    const stored = await this.#storePick(tenantId, callId, picked);
    this.listener?.onPicked(tenantId, stored);
    return stored;
  }

  #storePick(tenantId: string, callId: string, picked: PickContact): Promise<PickedContact> {
    return this.database.source.transaction(async (manager) => {
      const { raw, e164, region } = await findRemote(manager, tenantId, callId);
      await this.#assertKnown(manager, tenantId, picked);
      const { connectionId, type, id } = picked;
      const number = soughtNumber(raw, region, e164)?.key ?? null;
      const [row]: { pickedAt: Date }[] = await manager.query(
        `insert into contact_pick (tenant_id, call_id, connection_id, number, type, id, picked_at)
         values ($1, $2, $3, $4, $5, $6, clock_timestamp())
         on conflict (tenant_id, call_id, connection_id) do update
         set number = excluded.number, type = excluded.type, id = excluded.id, picked_at = excluded.picked_at
         returning picked_at as "pickedAt"`,
        [tenantId, callId, connectionId, number, type, id],
      );
      // The CRM has the call with somebody else, perhaps: it is looked at once more.
      await manager.query(
        `update crm_sync set state = 'due', attempts = 0, next_attempt_at = now()
         where tenant_id = $1 and connection_id = $2 and call_id = $3`,
        [tenantId, connectionId, callId],
      );
      return { callId, connectionId, type, id, number, pickedAt: (row as { pickedAt: Date }).pickedAt.toISOString() };
    });
  }

  /** One that the index lacks is noted, without numbers, where its name was told. */
  async #assertKnown(
    manager: EntityManager,
    tenantId: string,
    { connectionId, type, id, name, kind }: PickContact,
  ): Promise<void> {
    const [known]: { isContact: boolean }[] = await manager.query(
      `select exists (select from contact where tenant_id = $1 and connection_id = $2 and type = $3 and id = $4) as "isContact"
       from crm_connection where tenant_id = $1 and id = $2`,
      [tenantId, connectionId, type, id],
    );
    if (known === undefined) {
      throw new Problem('not-found', { detail: 'There is no such CRM connection.', field: 'connectionId' });
    }
    if (known.isContact) return;
    if (name === undefined) {
      const detail = 'Ringline does not know this contact of the CRM; send its `name` too.';
      throw new Problem('not-found', { detail, field: 'id' });
    }
    await manager.query(
      `insert into contact (tenant_id, connection_id, type, id, kind, name, synced_at) values ($1, $2, $3, $4, $5, $6, now())
       on conflict do nothing`,
      [tenantId, connectionId, type, id, kind, name],
    );
  }
}

async function findRemote(manager: EntityManager, tenantId: string, callId: string): Promise<Remote> {
  const [remote]: Remote[] = await manager.query(
    `select c.document->'remote'->>'raw' as raw, c.document->'remote'->>'e164' as e164, t.region
     from call c join tenant t on t.id = c.tenant_id where c.tenant_id = $1 and c.id = $2`,
    [tenantId, callId],
  );
  if (remote === undefined) throw new Problem('not-found', { detail: 'There is no such call.', field: 'id' });
  return remote;
}
