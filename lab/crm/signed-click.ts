import { createHmac, randomUUID } from 'node:crypto';

/** What the few lines of an admin send when a user of his CRM clicks on a number. */
export function sendSignedClick(
  doorUrl: string,
  { userId, number }: { readonly userId: string | number; readonly number: string },
  secret: string,
): Promise<Response> {
  const body = JSON.stringify({ id: randomUUID(), userId, number });
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  const headers = { 'content-type': 'application/json', 'x-ringline-signature': signature };
  return fetch(doorUrl, { method: 'POST', headers, body });
}
