import type { Call } from '../../src/calls/domain/call.js';
import type { CallCrmView } from '../../src/crm/sync/call-crm.schema.js';
import type { Company } from '../company.js';
import { waitFor } from '../wait-for.js';
import type { CrmSimulator, SimulatedCall } from './crm-simulator.js';

/** What Ringline and the CRM have of a call that is over, once nothing is due any more. */
export type ToldCall = { readonly call: Call; readonly crm: CallCrmView; readonly there: SimulatedCall };

/** A PBX that could not be asked for a recording for a moment is asked again half a minute later. */
const PATIENCE_MS = 90_000;

/**
 * Waits until a call is over and the CRM has all of it, its recording too.
 *
 * @throws when the CRM does not take it, with what it said
 */
export async function toldCall(company: Company, simulator: CrmSimulator, callId: string): Promise<ToldCall> {
  let last: unknown;
  const look = async (): Promise<ToldCall | null> => {
    const call = (await company.call('GET', `/v1/calls/${callId}`)).body as Call;
    const { items } = (await company.call('GET', `/v1/calls/${callId}/crm`)).body as { items: CallCrmView[] };
    const [crm] = items;
    last = { status: call.status, recordings: call.recordings.map(({ state }) => state), crm };
    if (crm?.state === 'failed') throw new Error('the CRM has not taken it');
    if (call.status !== 'ended' || crm?.state !== 'done' || crm.has < call.version) return null;
    if (call.answeredAt !== null && !call.recordings.some(({ state }) => state === 'ready')) return null;
    const there = simulator.calls().find(({ id }) => id === crm.remoteId);
    if (there === undefined) throw new Error(`the CRM has no call ${crm.remoteId}`);
    return { call, crm, there };
  };
  const what = `the CRM to have all of ${callId}`;
  return waitFor(look, { what, timeoutMs: PATIENCE_MS, everyMs: 50 }).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}: ${JSON.stringify(last)}`);
  });
}
