/** What a CRM should have of a call in the end. */
export type ToldCall = {
  readonly id: string;
  readonly kind: CallKind;
  readonly direction: 'inbound' | 'outbound';
  /** E.164; each call has its own, but for a call-back. */
  readonly number: string;
  readonly wasAnswered: boolean;
  readonly talkSeconds: number;
  readonly durationSeconds: number;
  readonly startedAt: Date;
  /** CRM user whose call it is. */
  readonly ownerId: string;
  /** Null: nobody in the CRM has the number. */
  readonly contactId: string | null;
  readonly hasRecording: boolean;
  /** As it was written last. */
  readonly note: string | null;
  readonly mergedInto: string | null;
};

/** `called-back`: missed, and followed by `call-back` with the same number, which is answered. */
export const callKinds = [
  'answered',
  'transferred',
  'missed',
  'outgoing',
  'unanswered',
  'merged',
  'called-back',
  'call-back',
] as const;
export type CallKind = (typeof callKinds)[number];
