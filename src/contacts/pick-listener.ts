import type { PickedContact } from './contacts.schema.js';

/** Hears that somebody has said who the other party of a call is. Provided where calls are written. */
export abstract class PickListener {
  abstract onPicked(tenantId: string, picked: PickedContact): void;
}
