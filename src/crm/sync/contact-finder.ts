import type { CrmSession } from '../port/crm-adapter.js';
import type { CrmContact, CrmNumber } from '../port/crm-objects.js';
import { done, type Verdict } from '../port/verdict.js';
import type { SyncedConnection } from './sync-store.js';

/** Who has a number, best first. */
export type ContactFinder = {
  find(connection: SyncedConnection, session: CrmSession, number: CrmNumber): Promise<Verdict<readonly CrmContact[]>>;
};

/** Asks the CRM itself each time. */
export const askTheCrm: ContactFinder = {
  find: async (_connection, session, number) => (await session.findContacts?.(number)) ?? done([]),
};
