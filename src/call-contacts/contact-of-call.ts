import type { DataSource } from 'typeorm';
import type { AfterCommit, CommittedChange } from '../calls/after-commit.js';
import type { Call, CallContact, ContactOwner } from '../calls/domain/call.js';
import type { CallEventType } from '../calls/domain/call-event.js';
import type { CallLedger } from '../calls/ledger/call-ledger.js';
import type { LiveCall } from '../calls/ledger/live-call.js';
import type { Clock } from '../common/clock.js';
import { newId } from '../common/ids.js';
import type { Log } from '../common/logger.js';
import type { ContactIndex } from '../contacts/contact-index.js';
import { surest } from '../contacts/contact-lookup.js';
import type { PickedContact } from '../contacts/contacts.schema.js';
import type { PickListener } from '../contacts/pick-listener.js';
import type { RemoteNumbers } from '../contacts/remote-numbers.js';
import { agentsOfUser, type RuledConnection } from './agents-of-user.js';

/** Calls looked at side by side: of the database's connections most are left to the calls themselves. */
const AT_A_TIME = 2;
/** Calls that wait to be looked at; of more the oldest are looked at with their next event. */
const MOST_WAITING = 1_000;
/** When who it is may be known, and was not before: a CRM was searched for the pop meanwhile. */
const looksAt: ReadonlySet<CallEventType> = new Set(['call.started', 'call.answered', 'call.ended']);

type Known = CallContact & { readonly ownerId: string | null };

/**
 * Writes into the record who the other party is: by the index of contacts, with each of a call's milestones until somebody is found;
 * whom somebody picks replaces that. No CRM is asked, and no phone waits for it.
 */
export class ContactOfCall implements AfterCommit, PickListener {
  readonly name = 'contact-of-call';
  /** By the call's id, in the order in which they came. */
  readonly #waiting = new Map<string, Call>();
  #working = 0;

  constructor(
    private readonly source: DataSource,
    private readonly numbers: Pick<RemoteNumbers, 'of'>,
    private readonly index: Pick<ContactIndex, 'find'>,
    private readonly ledger: Pick<CallLedger, 'find' | 'tellOf'>,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  onCommit(changes: readonly CommittedChange[]): void {
    for (const { call, events } of changes) {
      if (!isSought(call) || !events.some(({ event }) => looksAt.has(event.type))) continue;
      this.#waiting.set(call.id, call);
    }
    while (this.#waiting.size > MOST_WAITING) this.#next();
    while (this.#working < AT_A_TIME && this.#waiting.size > 0) void this.#work();
  }

  onPicked(tenantId: string, { callId, connectionId, type, id }: PickedContact): void {
    void this.#guarded(callId, async () => {
      const [known]: Known[] = await this.source.query(pickedSql, [tenantId, connectionId, type, id]);
      const call = await this.ledger.find(callId);
      if (known !== undefined && call !== null) await this.#tell(call, known);
    });
  }

  async #work(): Promise<void> {
    this.#working++;
    for (;;) {
      const call = this.#next();
      if (call === undefined) break;
      await this.#guarded(call.id, () => this.#look(call));
    }
    this.#working--;
  }

  #next(): Call | undefined {
    const [first] = this.#waiting.values();
    if (first !== undefined) this.#waiting.delete(first.id);
    return first;
  }

  /** Never rejects: a record without a contact is a record. */
  async #guarded(callId: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.log.warn({ scope: 'contact-of-call', callId, error }, 'a call’s contact was not looked up');
    }
  }

  async #look(call: Call): Promise<void> {
    const { id, tenantId } = call;
    const sought = await this.numbers.of(call);
    if (sought === null) return;
    const agentId = agentOf(call);
    const candidates = await this.index.find(tenantId, sought, agentId === null ? [] : [agentId]);
    const match = surest(sought, candidates, agentId);
    if (match === null) return;
    // Whom somebody picked meanwhile stays.
    const live = await this.ledger.find(id);
    if (live === null || (live.state ?? live.observed)?.found != null) return;
    await this.#tell(live, match);
  }

  async #tell(call: LiveCall, known: Known): Promise<void> {
    const { connectionId, type, id, kind, name, company, url, ownerId } = known;
    const contact: CallContact = { connectionId, type, id, kind, name, company, url };
    const owner = ownerId === null ? null : await this.#ownerOf(call.identity.tenantId, connectionId, ownerId);
    const fact = { kind: 'contact-found', key: newId(), at: this.clock.now(), source: 'ringline' } as const;
    this.ledger.tellOf(call, [{ ...fact, data: { contact, owner } }]);
  }

  async #ownerOf(tenantId: string, connectionId: string, userId: string): Promise<ContactOwner> {
    const [connection]: RuledConnection[] = await this.source.query(connectionSql, [tenantId, connectionId]);
    if (connection === undefined) return { userId, name: null, agentId: null };
    const { agentIds, name } = await agentsOfUser(this.source, tenantId, connection, userId);
    return { userId, name, agentId: agentIds.length === 1 ? (agentIds[0] ?? null) : null };
  }
}

/** Colleagues are no contacts, and of what became part of another call that one tells. */
function isSought({ contact, direction, mergedInto }: Call): boolean {
  return contact === null && direction !== 'internal' && mergedInto === null;
}

/** Whose contacts stand first: of who talks, else of who is sought. */
function agentOf({ participants }: Call): string | null {
  const agents = participants.filter(({ agentId }) => agentId !== null);
  return (agents.find(({ answeredAt }) => answeredAt !== null) ?? agents[0])?.agentId ?? null;
}

const pickedSql = `
select connection_id as "connectionId", type, id, kind, name, company, url, owner_id as "ownerId" from contact
where tenant_id = $1 and connection_id = $2 and type = $3 and id = $4`;

const connectionSql = `select id, rules->'users' as users from crm_connection where tenant_id = $1 and id = $2`;
