import type { Call } from '../src/calls/domain/call.js';

/** Who may ask for a tenant. */
type Asks = { call(method: string, path: string): Promise<{ readonly body: Record<string, unknown> }> };

/** All records of a tenant, newest first. */
export async function allCalls(tenant: Asks): Promise<Call[]> {
  const calls: Call[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const { body } = await tenant.call(
      'GET',
      `/v1/calls?limit=200${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    calls.push(...(body['items'] as Call[]));
    cursor = body['nextCursor'] as string | null;
  }
  return calls;
}
