import { z } from 'zod';

/** An instant: RFC 3339, UTC, milliseconds. */
export const instantSchema = z.iso.datetime({ precision: 3 });
const maybeInstant = instantSchema.nullable();
const idSchema = z.uuid();

export const callNumberSchema = z
  .strictObject({
    raw: z.string().meta({ description: 'As the switch or the client sent it.' }),
    e164: z.string().nullable().meta({ description: '`+` and digits; null when it is not a public number.' }),
    name: z.string().nullable().meta({ description: 'Display name, as sent. Untrusted text.' }),
  })
  .meta({ id: 'CallNumber' });

export const callStatuses = ['queued', 'dialing', 'ringing', 'answered', 'held', 'ended'] as const;
export const callDirections = ['inbound', 'outbound', 'internal'] as const;

export const callOutcomes = [
  'answered',
  'missed',
  'no-answer',
  'busy',
  'rejected',
  'failed',
  'cancelled',
  'blocked',
  'voicemail',
] as const;

/** Why a call came out as it did. `docs/outcomes.md` says when each is used. */
export const outcomeReasons = [
  'talked',
  'agent-no-answer',
  'agent-busy',
  'agent-rejected',
  'agent-hung-up',
  'abandoned',
  'device-unreachable',
  'caller-gave-up',
  'handed-back',
  'remote-busy',
  'remote-no-answer',
  'remote-rejected',
  'remote-unavailable',
  'remote-hung-up',
  'invalid-number',
  'trunk-refused',
  'trunk-unreachable',
  'congestion',
  'cancelled-by-api',
  'blocked-number',
  'service-stopped',
  'overloaded',
  'node-restart',
  'unknown',
] as const;

export const participantRoles = ['requested', 'rang', 'answered', 'transferred', 'supervisor'] as const;

export const participantSchema = z
  .strictObject({
    agentId: idSchema.nullable(),
    number: callNumberSchema.nullable().meta({ description: 'The outside number that was rung; null for a phone.' }),
    device: z.string().nullable().meta({
      description:
        'Endpoint of the phone, such as `PJSIP/alice`; of an agent’s outside number `PJSIP/<number>@<trunk>`.',
    }),
    role: z.enum(participantRoles).meta({ description: 'The furthest this person got.' }),
    ringingAt: maybeInstant,
    answeredAt: maybeInstant,
    leftAt: maybeInstant,
    talkSeconds: z.int().min(0),
  })
  .meta({ id: 'Participant' });

export const hangupParties = ['remote', 'agent', 'api', 'system', 'unknown'] as const;

export const hangupSchema = z
  .strictObject({
    by: z.enum(hangupParties),
    q850: z.int().nullable().meta({ description: 'Q.850 cause.' }),
    sip: z.int().nullable().meta({ description: 'SIP status, where the switch tells it.' }),
    text: z.string().nullable(),
  })
  .meta({ id: 'Hangup' });

export const legSchema = z
  .strictObject({
    id: z.string().meta({ description: 'The switch’s id of this leg.' }),
    side: z.enum(['remote', 'agent']),
    agentId: idSchema.nullable(),
    device: z.string().nullable(),
    ringingAt: maybeInstant,
    answeredAt: maybeInstant,
    endedAt: maybeInstant,
    q850: z.int().nullable(),
    sip: z.int().nullable(),
    release: z.string().nullable().meta({ description: 'Why Ringline ended this leg; null when it ended by itself.' }),
  })
  .meta({ id: 'CallLeg' });

export const callLineSchema = z
  .strictObject({ id: idSchema, number: z.string(), name: z.string() })
  .meta({ id: 'CallLine' });

/** `failed`: there is nothing to hear, and `failure` says why. `erased`: somebody had it erased. */
export const recordingStates = ['recording', 'paused', 'finished', 'ready', 'failed', 'erased'] as const;

export const callRecordingSchema = z
  .strictObject({
    id: idSchema,
    state: z.enum(recordingStates).meta({
      description: '`recording` and `paused` in the PBX, `finished` there, `ready` to be heard, `failed`, or `erased`.',
    }),
    startedAt: maybeInstant.meta({ description: 'Null when it never began.' }),
    durationSeconds: z.int().min(0).nullable().meta({ description: 'Without pauses; null until it is finished.' }),
    failure: z.string().nullable().meta({ description: 'Why there is nothing to hear.' }),
  })
  .meta({ id: 'CallRecording' });

/** Of several who have the number, the likeliest; whom an agent picked stands before all. */
export const callContactSchema = z
  .strictObject({
    connectionId: idSchema.meta({ description: 'The CRM that has it.' }),
    type: z.string().meta({ description: 'In the CRM’s own word.' }),
    id: z.string().meta({ description: 'The CRM’s own.' }),
    kind: z.enum(['contact', 'lead', 'company']),
    name: z.string().meta({ description: 'Untrusted text.' }),
    company: z.string().nullable(),
    url: z.string().nullable().meta({ description: 'Where a person sees it.' }),
  })
  .meta({ id: 'CallContact' });

export const contactOwnerSchema = z
  .strictObject({
    userId: z.string().meta({ description: 'CRM user.' }),
    name: z.string().nullable().meta({ description: 'As the CRM lists the user. Untrusted text.' }),
    agentId: idSchema.nullable().meta({ description: 'Who that is here; null where that is nobody, or not sure.' }),
  })
  .meta({ id: 'ContactOwner' });

/** The record of one conversation, as of its newest change. */
export const callSchema = z
  .strictObject({
    id: idSchema,
    tenantId: idSchema,
    control: z.enum(['driven', 'observed']),
    direction: z.enum(callDirections),
    status: z.enum(callStatuses),
    outcome: z
      .enum(callOutcomes)
      .nullable()
      .meta({ description: 'Null until the call has ended, and where it became part of another one before.' }),
    outcomeReason: z.enum(outcomeReasons).nullable(),
    from: callNumberSchema,
    to: callNumberSchema,
    remote: callNumberSchema.meta({ description: 'The outside number, whatever the direction.' }),
    line: callLineSchema.nullable(),
    contact: callContactSchema.nullable().meta({
      description:
        'Who the other party is, by the contacts of the tenant’s CRMs; null where nobody surely has the number.',
    }),
    owner: contactOwnerSchema.nullable().meta({ description: 'Whose contact that is; null where it is nobody’s.' }),
    participants: z.array(participantSchema),
    legs: z.array(legSchema),
    startedAt: instantSchema,
    ringingAt: maybeInstant.meta({ description: 'The other party’s phone began to ring.' }),
    answeredAt: maybeInstant.meta({ description: 'Both parties were joined.' }),
    endedAt: maybeInstant,
    waitSeconds: z.int().min(0).meta({ description: 'First ring to answer, or to the end.' }),
    talkSeconds: z.int().min(0).meta({ description: 'How long both parties were joined.' }),
    durationSeconds: z.int().min(0).meta({ description: 'Start to end; 0 while the call is open.' }),
    hangup: hangupSchema.nullable(),
    recordings: z.array(callRecordingSchema).meta({ description: 'In the order in which they began.' }),
    note: z.string().nullable(),
    disposition: z.string().nullable(),
    tags: z.array(z.string()),
    cost: z.null(),
    estimated: z.boolean().meta({ description: 'A time or the outcome was inferred after a gap.' }),
    version: z.int().min(1),
    mergedInto: idSchema.nullable(),
    pbxNodeId: idSchema,
    linkedId: z.string().nullable(),
    sipCallIds: z.array(z.string()),
  })
  .meta({ id: 'Call' });

export type Call = z.output<typeof callSchema>;
export type CallContact = z.output<typeof callContactSchema>;
export type ContactOwner = z.output<typeof contactOwnerSchema>;
export type CallNumber = z.output<typeof callNumberSchema>;
export type CallRecording = z.output<typeof callRecordingSchema>;
export type CallLine = z.output<typeof callLineSchema>;
export type Participant = z.output<typeof participantSchema>;
export type CallLegView = z.output<typeof legSchema>;
export type Outcome = (typeof callOutcomes)[number];
export type OutcomeReason = (typeof outcomeReasons)[number];
export type HangupParty = (typeof hangupParties)[number];
