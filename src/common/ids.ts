import { createHash, randomFillSync } from 'node:crypto';
import { parse, stringify, v7 as uuidv7 } from 'uuid';

/** Random bytes are fetched for many ids at once: asking the system for 16 of them costs as much as for 4,096. */
const pool = Buffer.alloc(4_096);
const BYTES_AN_ID = 16;
let used = pool.length;
let msecs = 0;
let seq = 0;

/** A new UUIDv7: sorts by the time it was made, and within one millisecond by the order in which this process made it. */
export function newId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used, (used += BYTES_AN_ID));
  const now = Date.now();
  if (now > msecs) {
    msecs = now;
    // Room to count on: RFC 9562 section 6.2, method 1.
    seq = random.readUInt32BE(0) >>> 1;
  } else seq += 1;
  return uuidv7({ random, msecs, seq });
}

/**
 * A UUIDv7 with the time of another, and bits taken from a hash of `text` instead of random ones: whoever derives it again,
 * after a restart too, comes to the same id.
 */
export function derivedId(of: string, text: string): string {
  const id = createHash('sha256').update(text).digest().subarray(0, 16);
  id.set(parse(of).subarray(0, 6), 0);
  id.writeUInt8((id.readUInt8(6) & 0x0f) | 0x70, 6);
  id.writeUInt8((id.readUInt8(8) & 0x3f) | 0x80, 8);
  return stringify(id);
}

export const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
