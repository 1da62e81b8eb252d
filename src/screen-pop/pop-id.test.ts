import * as fc from 'fast-check';
import { v7, validate, version } from 'uuid';
import { describe, expect, it } from 'vitest';
import { callIdsOf, popIdOf } from './pop-id.js';

const uuid7 = fc
  .record({ msecs: fc.integer({ min: 0, max: 2 ** 47 }), random: fc.uint8Array({ minLength: 16, maxLength: 16 }) })
  .map(({ msecs, random }) => v7({ msecs, random, seq: 0 }));

describe('the id of a pop', () => {
  it('is a valid UUIDv7 with the time of the call', () => {
    fc.assert(
      fc.property(uuid7, uuid7, (callId, agentId) => {
        const id = popIdOf(callId, agentId);
        expect(validate(id)).toBe(true);
        expect(version(id)).toBe(7);
        expect(id.slice(0, 13)).toBe(callId.slice(0, 13));
      }),
    );
  });

  it('is the same for the same call and agent and differs for any other', () => {
    fc.assert(
      fc.property(uuid7, uuid7, uuid7, (callId, agentId, other) => {
        fc.pre(agentId !== other && callId !== other);
        expect(popIdOf(callId, agentId)).toBe(popIdOf(callId, agentId));
        expect(popIdOf(callId, agentId)).not.toBe(popIdOf(callId, other));
        expect(popIdOf(callId, agentId)).not.toBe(popIdOf(other, agentId));
      }),
    );
  });

  it('leads back to a range of ids that holds its call', () => {
    fc.assert(
      fc.property(uuid7, uuid7, (callId, agentId) => {
        const { first, last } = callIdsOf(popIdOf(callId, agentId));
        expect(first <= callId && callId <= last).toBe(true);
      }),
    );
  });
});
