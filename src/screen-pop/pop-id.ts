import { createHash } from 'node:crypto';
import { parse, stringify } from 'uuid';

/**
 * The id of the pop that shows a call to an agent: a UUIDv7 with the call's time, its random bits taken from a hash of
 * both ids. So a pop needs no row, and has the same id on every stream and after a restart.
 */
export function popIdOf(callId: string, agentId: string): string {
  const call = parse(callId);
  const id = createHash('sha256').update(`${callId.toLowerCase()} ${agentId.toLowerCase()}`).digest().subarray(0, 16);
  id.set(call.subarray(0, 6), 0);
  id.writeUInt8((id.readUInt8(6) & 0x0f) | 0x70, 6);
  id.writeUInt8((id.readUInt8(8) & 0x3f) | 0x80, 8);
  return stringify(id);
}

/** Between which ids the call of a pop must be: they share the 48 bits of their time. */
export function callIdsOf(popId: string): { readonly first: string; readonly last: string } {
  const time = popId.slice(0, 13);
  return { first: `${time}-0000-0000-000000000000`, last: `${time}-ffff-ffff-ffffffffffff` };
}
