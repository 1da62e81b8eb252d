import { expect, it } from 'vitest';

import { HttpRequests } from './http-requests.js';

it('finds requests however the bytes are cut, and none in a body', () => {
  const bytes = Buffer.from(
    'POST /a?x=1 HTTP/1.1\r\nContent-Length: 24\r\n\r\nGET /no HTTP/1.1\r\nA: b\r\n\r\n'.replace('A: b\r\n', 'A: b') +
      'POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nGET /\r\n0\r\n\r\nDELETE /c HTTP/1.1\r\n\r\n',
  );
  for (const size of [1, 7, bytes.length]) {
    const requests = new HttpRequests();
    const found = [];
    for (let start = 0; start < bytes.length; start += size)
      found.push(...requests.feed(bytes.subarray(start, start + size)));
    expect(found.map(({ method, path }) => `${method} ${path}`)).toEqual(['POST /a?x=1', 'POST /b', 'DELETE /c']);
  }
});

it('stops looking after an upgrade', () => {
  const requests = new HttpRequests();
  expect(
    requests.feed(Buffer.from('GET /events HTTP/1.1\r\nUpgrade: websocket\r\n\r\nGET /x HTTP/1.1\r\n\r\n')),
  ).toHaveLength(1);
  expect(requests.feed(Buffer.from('GET /y HTTP/1.1\r\n\r\n'))).toHaveLength(0);
});
