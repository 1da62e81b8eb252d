import type { Clicked } from './click-to-call.js';
import type { DemoCrm } from './demo-crm.js';

/** The first agent's user clicks on a number in the CRM. */
export async function clickInCrm({ simulator, userIds, doorUrl, title }: DemoCrm, number: string): Promise<Clicked> {
  const answer = await simulator.click?.({ userId: userIds[0] ?? '', number, doorUrl });
  if (answer === undefined) throw new Error(`${title} has no click`);
  const body = (await answer.json()) as { readonly callId?: string };
  return { status: answer.status, callId: body.callId, body };
}
