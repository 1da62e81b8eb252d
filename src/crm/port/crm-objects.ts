/** A number in the forms in which a CRM may hold it. */
export type CrmNumber = {
  /** As the switch or the client sent it; empty for an anonymous caller. */
  readonly raw: string;
  /** `+` and digits; null when it is no public number. */
  readonly e164: string | null;
  /** As it is written in its country; null when it is no public number. */
  readonly national: string | null;
  /** All its digits, without `+`. */
  readonly digits: string;
};

/** An object of the CRM. `type` in the CRM's own word. */
export type ObjectRef = { readonly type: string; readonly id: string };

export type CrmContact = ObjectRef & {
  readonly kind: 'contact' | 'lead' | 'company';
  readonly name: string;
  readonly company: string | null;
  /** Id of the CRM user whose it is. */
  readonly ownerId: string | null;
  readonly numbers: readonly string[];
  /** Where a person sees it. */
  readonly url: string | null;
};

export type CrmUser = {
  readonly id: string;
  readonly name: string;
  readonly email: string | null;
  readonly extension: string | null;
  readonly isActive: boolean;
};

/** Somebody of the company in a call. */
export type CrmPerson = {
  /** CRM user; null for an agent who has none there. */
  readonly userId: string | null;
  readonly name: string;
  /** `answered` includes whom the call was transferred to and who took it. */
  readonly part: 'rang' | 'answered';
  readonly talkSeconds: number;
};

/** A conversation as a CRM is told of it: one object, whatever became of it. */
export type CrmCall = {
  /** Ours, and the same for ever: the idempotency key. A UUID. */
  readonly id: string;
  readonly direction: 'inbound' | 'outbound' | 'internal';
  readonly status: 'ringing' | 'talking' | 'ended';
  readonly outcome:
    'answered' | 'missed' | 'no-answer' | 'busy' | 'rejected' | 'failed' | 'cancelled' | 'blocked' | 'voicemail' | null;
  /** The outside party, whatever the direction. */
  readonly number: CrmNumber;
  readonly line: { readonly number: string; readonly name: string } | null;
  readonly startedAt: Date;
  readonly answeredAt: Date | null;
  readonly endedAt: Date | null;
  readonly waitSeconds: number;
  readonly talkSeconds: number;
  readonly durationSeconds: number;
  /** CRM user whose call it is: who talked last, else who was sought first, else the contact's owner or the default user. */
  readonly userId: string | null;
  /** In the order in which they came into it. Several who answered: it was transferred. */
  readonly people: readonly CrmPerson[];
  readonly contact: ObjectRef | null;
  /** A title and a text in words, with everything for which the CRM has no field; times in the tenant's time zone. */
  readonly subject: string;
  readonly summary: string;
  /** What the agent wrote in Ringline. */
  readonly note: string | null;
  /** By the connection's map, in the CRM's word. */
  readonly disposition: string | null;
  readonly tags: readonly string[];
  /** Fields of the CRM by the connection's field map. */
  readonly fields: Readonly<Record<string, string | number | boolean>>;
  readonly cost: { readonly amount: number; readonly currency: string } | null;
  /** Where its recording can be heard without logging in; null where there is none, or links are not wanted. */
  readonly recordingUrl: string | null;
};

export type CrmRecording = {
  readonly id: string;
  readonly fileName: string;
  readonly contentType: 'audio/wav';
  readonly durationSeconds: number;
  /** For capability `link`. */
  readonly url: string | null;
  /** For capability `upload`: all of it. */
  readonly read: () => Promise<Uint8Array>;
};

export type CrmTask = {
  readonly subject: string;
  readonly text: string;
  readonly userId: string;
  readonly dueAt: Date;
};
