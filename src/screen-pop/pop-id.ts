import { derivedId } from '../common/ids.js';

/**
 * The id of the pop that shows a call to an agent: derived from both ids. So a pop needs no row, and has the same id on every
 * stream and after a restart.
 */
export function popIdOf(callId: string, agentId: string): string {
  return derivedId(callId, `${callId.toLowerCase()} ${agentId.toLowerCase()}`);
}

/** Between which ids the call of a pop must be: they share the 48 bits of their time. */
export function callIdsOf(popId: string): { readonly first: string; readonly last: string } {
  const time = popId.slice(0, 13);
  return { first: `${time}-0000-0000-000000000000`, last: `${time}-ffff-ffff-ffffffffffff` };
}
