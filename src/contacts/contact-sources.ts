import type { ContactPage } from '../crm/port/crm-adapter.js';
import type { CrmContact, CrmNumber } from '../crm/port/crm-objects.js';
import type { Verdict } from '../crm/port/verdict.js';
import type { ConnectionRef } from './contact-index.js';

/** A CRM that may be asked for contacts. */
export type ContactSource = ConnectionRef & {
  /** Null where the CRM cannot be searched. */
  readonly findContacts: ((number: CrmNumber) => Promise<Verdict<readonly CrmContact[]>>) | null;
  /** Null where it does not tell what has changed. */
  readonly listContacts: ((cursor: string | null) => Promise<Verdict<ContactPage>>) | null;
};

/** What this folder asks of the CRMs. Provided by `crm`, which knows how they are reached. */
export abstract class ContactSources {
  /** The tenant's CRMs whose connections are enabled. */
  abstract ofTenant(tenantId: string): Promise<readonly ContactSource[]>;

  /** Every tenant's CRMs whose contacts can be listed and whose connections are enabled. */
  abstract listing(): Promise<readonly ConnectionRef[]>;

  /** Null when it is not there, or not enabled any more. */
  abstract one(ref: ConnectionRef): Promise<ContactSource | null>;
}

/** PostgreSQL channel: a CRM says that its contacts have changed. Payload: id of its connection. What is lost is found by the next round. */
export const CONTACTS_CHANGED = 'ringline_crm_contacts_changed';
