import { describe, expect, it } from 'vitest';
import type { DoorWish } from '../port/door.js';
import { readWish } from './read-wish.js';

const dial: DoorWish = {
  wish: 'dial',
  key: 'k',
  userId: '7',
  number: '+4930111222',
  entity: { type: 'Lead', id: '5' },
  line: null,
  remoteCallId: null,
};

describe('a wish that an adapter read', () => {
  it('is taken as it is', () => {
    expect(readWish(dial)).toEqual({ wish: dial });
    const callBack: DoorWish = { wish: 'call-back', key: null, number: '1', text: 'at noon', entity: null, line: 'x' };
    expect(readWish(callBack)).toEqual({ wish: callBack });
    expect(readWish({ wish: 'contacts-changed', key: null })).toEqual({
      wish: { wish: 'contacts-changed', key: null },
    });
  });

  it.each([
    ['number', { number: '' }],
    ['number', { number: '1'.repeat(301) }],
    ['number', { number: '1\u00002' }],
    ['userId', { userId: '\ud800' }],
    ['userId', { userId: '' }],
    ['entity.id', { entity: { type: 'Lead', id: 'x'.repeat(201) } }],
    ['key', { key: 'x'.repeat(501) }],
  ])('is refused where %s is nothing that can be kept: %j', (field, changes) => {
    expect(readWish({ ...dial, ...changes })).toEqual({ why: expect.stringContaining(field) });
  });

  it('is refused where an adapter took a number for a text, as JavaScript lets it', () => {
    expect(readWish({ ...dial, userId: 7 as unknown as string })).toEqual({ why: expect.stringContaining('userId') });
  });
});
