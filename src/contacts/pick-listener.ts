import type { ObjectRef } from '../crm/port/crm-objects.js';
import type { ConnectionRef } from './contact-index.js';

export type PickedRef = ConnectionRef & { readonly contact: ObjectRef };

/** Hears that somebody has said who the other party of a call is. Provided where calls are written. */
export abstract class PickListener {
  abstract onPicked(callId: string, picked: PickedRef): void;
}
