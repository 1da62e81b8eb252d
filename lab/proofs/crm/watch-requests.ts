import type { CrmSimulator } from '../../crm/crm-simulator.js';
import type { SimulatedRequest } from '../../crm/simulator-server.js';

/** When requests come: all of them, and the first for a number and for a call. */
export function watchRequests(crm: CrmSimulator): {
  readonly at: number[];
  readonly searched: Map<string, number>;
  readonly registered: Map<string, number>;
} {
  const seen = { at: [] as number[], searched: new Map<string, number>(), registered: new Map<string, number>() };
  const first = (times: Map<string, number>, key: unknown, at: number): void => {
    if (typeof key === 'string' && !times.has(key)) times.set(key, at);
  };
  const look = ({ path, json, form }: SimulatedRequest): boolean => {
    const now = Date.now();
    const fields = (json ?? form) as Readonly<Record<string, unknown>>;
    if (path.startsWith('/rest/')) seen.at.push(now);
    if (path.includes('searchCrmEntities')) first(seen.searched, fields['PHONE_NUMBER'], now);
    if (path.includes('externalCall.register')) first(seen.registered, fields['EXTERNAL_CALL_ID'], now);
    return false;
  };
  // A fault that meets no request, and looks at all that are within the limits.
  crm.fail({ what: 'refused', times: 1, matches: look });
  return seen;
}
