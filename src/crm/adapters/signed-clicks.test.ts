import { describe, expect, it } from 'vitest';
import { hmacSha256 } from '../port/signature.js';
import { hubspot } from './hubspot/hubspot.adapter.js';
import { pipedrive } from './pipedrive/pipedrive.adapter.js';
import { salesforce } from './salesforce/salesforce.adapter.js';

const clickSecret = 'a-secret-of-thirty-two-characters';
const url = 'https://crm.example';
const crms = [
  { adapter: hubspot, settings: hubspot.settings.parse({ accessToken: 'token', clickSecret }), type: 'contact' },
  { adapter: pipedrive, settings: pipedrive.settings.parse({ url, apiToken: 'token', clickSecret }), type: 'person' },
  {
    adapter: salesforce,
    settings: salesforce.settings.parse({ url, clientId: 'id', clientSecret: 'secret', clickSecret }),
    type: 'Lead',
  },
];

describe.each(crms.map((one) => [one.adapter.title, one] as const))('the door of %s', (_title, crm) => {
  const settings = crm.settings as never;
  const body = new TextEncoder().encode(
    JSON.stringify({ id: 'click-0001', userId: '7', number: '030 90182055', entityType: crm.type, entityId: '12' }),
  );
  const signature = Buffer.from(hmacSha256(clickSecret, body)).toString('hex');
  const knock = (bytes: Uint8Array, given: string, of: never = settings) =>
    crm.adapter.parseInbound?.(
      { method: 'POST', headers: { 'x-ringline-signature': given }, query: {}, body: bytes },
      of,
    );

  it('heeds a click that is signed, about a record of its own', () => {
    const entity = { type: crm.type, id: '12' };
    const wish = { wish: 'dial', key: 'click-0001', userId: '7', number: '030 90182055', entity };
    expect(knock(body, signature)).toMatchObject({ kind: 'wished', wish });
  });

  it('is not opened by another body, another signature, or where there is no secret', () => {
    expect(knock(new Uint8Array([...body, 32]), signature)).toEqual({ kind: 'forged' });
    expect(knock(body, `00${signature.slice(2)}`)).toEqual({ kind: 'forged' });
    const without = { ...crm.settings, clickSecret: null } as never;
    expect(knock(body, signature, without)).toEqual({ kind: 'forged' });
    expect(crm.adapter.capabilities(without).doors).toEqual([]);
    expect(crm.adapter.capabilities(settings).doors).toEqual(['dial']);
  });
});
