import type { JobsOptions } from 'bullmq';
import { z } from 'zod';

/** Every queue Ringline uses: its name, what its jobs carry, how long they are kept. */

/** Start of every key. BullMQ's own default, so that a worker elsewhere needs no setting. */
export const QUEUE_PREFIX = 'bull';

/** Published: one job per call event; job name = event type, job id = event id, data = the whole document. */
export const CALL_EVENTS = 'call-events';

/**
 * Jobs of the published queues. They wait until somebody takes them; finished ones are kept for a while, so that an
 * event which is added twice is still one job.
 */
export const callEventJobOptions = {
  removeOnComplete: { age: 3600, count: 10_000 },
  removeOnFail: { age: 86_400, count: 10_000 },
} as const satisfies JobsOptions;

/** Waiting jobs at which a published queue takes no more: nobody reads it, and Redis must not fill up. */
export const WAITING_CAP = 50_000;

/** Inner: says that an endpoint has a delivery that is due. Lost wake-ups are found by a sweep. */
export const WEBHOOK_WAKE_UPS = 'webhook-wake-ups';

/** Ids only: what is to be done stands in PostgreSQL. */
export const webhookWakeUpSchema = z.strictObject({ tenantId: z.uuid(), endpointId: z.uuid() });
export type WebhookWakeUp = z.output<typeof webhookWakeUpSchema>;

export const wakeUpJobOptions = {
  removeOnComplete: true,
  removeOnFail: true,
  attempts: 1,
} as const satisfies JobsOptions;
