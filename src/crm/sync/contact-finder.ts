import type { ContactIndex } from '../../contacts/contact-index.js';
import { hasStrong } from '../../contacts/contact-lookup.js';
import { rankMatches, type Candidate } from '../../contacts/match.js';
import { soughtNumber } from '../../contacts/number-forms.js';
import type { CrmCapabilities, CrmSession } from '../port/crm-adapter.js';
import type { CrmContact, CrmNumber } from '../port/crm-objects.js';
import { done, type Verdict } from '../port/verdict.js';
import type { LinkedContact } from './links.js';
import type { SyncedConnection } from './sync-store.js';

/** Whose number is sought, and for whom. */
export type SoughtContact = {
  readonly number: CrmNumber;
  /** ISO 3166: whose national numbers the tenant writes. */
  readonly region: string;
  /** Whose call it is; null where it is nobody's. */
  readonly agentId: string | null;
  readonly capabilities: CrmCapabilities;
  /** What the index knows did not hold. */
  readonly isAskedAnew: boolean;
};

/**
 * Who has a number in one CRM, the likeliest first, as agents see it in their pops: whom one picked for the number; whom the index has,
 * where the CRM tells what changes in it; else whom the CRM finds.
 */
export class ContactFinder {
  constructor(private readonly index: Pick<ContactIndex, 'find' | 'learn' | 'remove'>) {}

  async find(
    { tenantId, id }: SyncedConnection,
    session: CrmSession,
    { number, region, agentId, capabilities, isAskedAnew }: SoughtContact,
  ): Promise<Verdict<readonly LinkedContact[]>> {
    const sought = soughtNumber(number.raw, region, number.e164);
    const known = async (): Promise<readonly Candidate[]> => {
      if (sought === null) return [];
      const all = await this.index.find(tenantId, sought, agentId === null ? [] : [agentId]);
      return all.filter(({ connectionId }) => connectionId === id);
    };
    const likeliest = (candidates: readonly Candidate[]): readonly LinkedContact[] =>
      sought === null ? [] : rankMatches(sought, candidates, agentId);
    const candidates = isAskedAnew ? [] : await known();
    const isKnown = capabilities.contactSync && sought !== null && hasStrong(sought, candidates);
    if (isKnown || candidates.some(({ isPicked }) => isPicked)) return done(likeliest(candidates));
    const found = (await session.findContacts?.(number)) ?? done<readonly CrmContact[]>([]);
    if (found.verdict !== 'done' || found.value.length === 0) return found;
    await this.index.learn({ tenantId, id }, found.value, number);
    const isFound = (one: Candidate): boolean =>
      found.value.some((contact) => contact.type === one.type && contact.id === one.id);
    const ranked = likeliest((await known()).filter(isFound));
    // The CRM may read numbers in a way of its own.
    return done(ranked.length > 0 ? ranked : found.value);
  }

  /** The CRM says that he is not there any more. */
  forget({ tenantId, id }: SyncedConnection, contact: LinkedContact): Promise<void> {
    return this.index.remove({ tenantId, id }, [contact]);
  }
}
