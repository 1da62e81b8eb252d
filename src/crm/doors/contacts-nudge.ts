import type { DataSource } from 'typeorm';
import { CONTACTS_CHANGED } from '../../contacts/contact-sources.js';

/** Tells whoever keeps the local index of contacts, in whatever process, that a CRM's have changed. */
export abstract class ContactsNudge {
  abstract contactsChanged(connectionId: string): Promise<void>;
}

export class NotifyingNudge extends ContactsNudge {
  constructor(private readonly source: DataSource) {
    super();
  }

  async contactsChanged(connectionId: string): Promise<void> {
    await this.source.query('select pg_notify($1, $2)', [CONTACTS_CHANGED, connectionId]);
  }
}
