import type { CrmCall } from '../../port/crm-objects.js';
import type { DialResult } from '../../port/door.js';

/** STATUS_CODE of `telephony.externalCall.finish`. */
export function statusCodeOf(outcome: CrmCall['outcome']): string {
  switch (outcome) {
    case 'answered':
      return '200';
    case 'missed':
    case 'no-answer':
    // Somebody left a message, and nobody of the company talked.
    case 'voicemail':
      return '304';
    case 'busy':
      return '486';
    case 'rejected':
      return '603';
    case 'cancelled':
      return '603-S';
    case 'blocked':
      return '423';
    case 'failed':
      return '503';
    case null:
      return 'OTHER';
  }
}

/** Of a click that became no call, by the name of the problem in Ringline's API. */
export function statusCodeOfRefusal({ problem }: Extract<DialResult, { kind: 'refused' }>): string {
  switch (problem) {
    case 'invalid-number':
      return '404';
    case 'number-blocked':
      return '423';
    case 'agent-busy':
      return '486';
    case 'agent-unreachable':
    case 'agent-without-device':
      return '480';
    case 'line-required':
    case 'line-without-trunk':
    case 'node-unavailable':
      return '503';
    case 'forbidden':
    case 'too-many-calls':
      return '403';
    default:
      return '603-S';
  }
}
