// node read-contacts.js DATABASE_URL CRM_URL CONNECTION: keeps the index of contacts as a rolodex is, as the worker does, until it is killed.
import { newId } from '../../src/common/ids.js';
import { createLog } from '../../src/common/logger.js';
import { ContactIndex } from '../../src/contacts/contact-index.js';
import { ContactSources, type ContactSource } from '../../src/contacts/contact-sources.js';
import { ContactSyncStore } from '../../src/contacts/contact-sync-store.js';
import { ContactSync, syncLimits } from '../../src/contacts/contact-sync.js';
import type { ContactPage } from '../../src/crm/port/crm-adapter.js';
import { done } from '../../src/crm/port/verdict.js';
import { createDataSource } from '../../src/database/data-source.js';

/** Who was killed holds its claim so long. */
const CLAIM_SECONDS = 1;

const [, , databaseUrl = '', crmUrl = '', connectionId = ''] = process.argv;
const source = await createDataSource(databaseUrl).initialize();

class OneRolodex extends ContactSources {
  ofTenant(): Promise<readonly ContactSource[]> {
    return Promise.resolve([]);
  }

  listing(): Promise<{ tenantId: string; id: string }[]> {
    return source.query(`select tenant_id as "tenantId", id from crm_connection where id = $1`, [connectionId]);
  }

  one(ref: { readonly tenantId: string; readonly id: string }): Promise<ContactSource> {
    const listContacts = async (cursor: string | null) => {
      const answer = await fetch(`${crmUrl}/changes${cursor === null ? '' : `?cursor=${cursor}`}`);
      return done((await answer.json()) as ContactPage);
    };
    return Promise.resolve({ ...ref, findContacts: null, listContacts });
  }
}

const store = new ContactSyncStore(source, new ContactIndex(source), newId(), CLAIM_SECONDS);
const limits = { ...syncLimits, sweepMs: 100, everySeconds: 0.2, pagesInARow: 3 };
const database = { state: { status: 'ready' }, assertReady: () => undefined } as const;
new ContactSync(database, new OneRolodex(), store, createLog('fatal'), limits).start();
