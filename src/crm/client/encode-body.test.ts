import { expect, it } from 'vitest';
import { encodeBody } from './encode-body.js';

it('JSON is sent as JSON, a form as a form', () => {
  expect(encodeBody({ json: { name: 'Jörg' } })).toEqual({ contentType: 'application/json', bytes: '{"name":"Jörg"}' });
  expect(encodeBody({ form: { phone: '+49 30', text: 'a&b' } })).toEqual({
    contentType: 'application/x-www-form-urlencoded',
    bytes: 'phone=%2B49+30&text=a%26b',
  });
});

it('parts are read again as they were by who speaks multipart', async () => {
  const bytes = new Uint8Array([0, 255, 13, 10, 45, 45]);
  const { contentType, bytes: body } = encodeBody({
    multipart: [
      { name: 'id', value: 'Ж7' },
      { name: 'file', value: bytes, fileName: 'a "call".wav', contentType: 'audio/wav\r\nx-evil: 1' },
    ],
  });
  const form = await new Response(body as Uint8Array<ArrayBuffer>, {
    headers: { 'content-type': contentType },
  }).formData();
  expect(form.get('id')).toBe('Ж7');
  const file = form.get('file') as File;
  expect(file.name).toBe('a "call".wav');
  expect(new Uint8Array(await file.arrayBuffer())).toEqual(bytes);
  expect(Buffer.from(body as Uint8Array).toString('latin1')).not.toMatch(/^x-evil/m);
});
