import { describe, expect, it } from 'vitest';
import { aPost } from '../adapters/adapter-session.test-support.js';
import { hmacSha256 } from './signature.js';
import { CLICK_HEADER, readSignedClick } from './signed-click.js';

const click = { id: 'click-0001', userId: '7', number: ' +79062195047 ', entityType: 'Contact', entityId: '12' };

function knock(sent: object | string, secret: string | null = 'secret', signedWith = 'secret') {
  const body = typeof sent === 'string' ? sent : JSON.stringify(sent);
  const signature = Buffer.from(hmacSha256(signedWith, new TextEncoder().encode(body))).toString('hex');
  return readSignedClick(aPost(body, { [CLICK_HEADER]: signature }), secret, ['Contact']);
}

describe('a signed click', () => {
  it('is a wish to dial, heeded once by its id', () => {
    expect(knock(click)).toEqual({
      kind: 'wished',
      wish: {
        wish: 'dial',
        key: 'click-0001',
        userId: '7',
        number: '+79062195047',
        entity: { type: 'Contact', id: '12' },
        line: null,
        remoteCallId: null,
      },
    });
  });

  it('may have ids that are numbers, and no entity', () => {
    expect(knock({ id: 'click-0002', userId: 7, number: '101', entityId: 12, entityType: 'Contact' })).toMatchObject({
      wish: { userId: '7', entity: { id: '12' } },
    });
    expect(knock({ ...click, entityType: 'Invoice' })).toMatchObject({ wish: { entity: null } });
  });

  it('is forged with another secret, with none set, and without a signature', () => {
    expect(knock(click, 'secret', 'Secret')).toEqual({ kind: 'forged' });
    expect(knock(click, null)).toEqual({ kind: 'forged' });
    expect(readSignedClick(aPost(JSON.stringify(click)), 'secret', [])).toEqual({ kind: 'forged' });
  });

  it('is told what it lacks', () => {
    expect(knock({ ...click, number: ' ' })).toMatchObject({
      kind: 'malformed',
      why: expect.stringMatching(/^number: /) as string,
    });
    expect(knock({ ...click, id: 'short' })).toMatchObject({ kind: 'malformed' });
    expect(knock('no json')).toMatchObject({ kind: 'malformed' });
  });

  it('is closed for what is no POST', () => {
    expect(readSignedClick({ ...aPost(''), method: 'GET' }, 'secret', [])).toMatchObject({ kind: 'malformed' });
  });
});
