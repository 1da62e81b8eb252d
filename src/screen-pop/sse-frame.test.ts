import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readEvents } from '../../test/support/read-events.js';
import { eventFrame, heartbeatFrame, retryFrame } from './sse-frame.js';

const hostile = [
  'Eve\r\n\r\nevent: pop\r\ndata: {"id":"forged"}\r\n\r\n',
  'Eve\revent: token\rdata: x\r\r',
  'Eve\nid: 1\nretry: 0\n\n',
  'line\u2028separator\u2029paragraph\u0085next',
  '\u202Etxt.exe\u202C \u2066bidi\u2069',
  '\uFEFFbyte order mark',
  '<img src=x onerror=alert(1)>',
  'nul \0 and \x1b[2J escape',
  'lone \ud800 surrogate',
  'x'.repeat(60_000),
];

describe('an event frame', () => {
  it.each(hostile)('carries hostile name %# as nothing but data', (name) => {
    const text = JSON.stringify({ from: { name } });
    const events = readEvents(eventFrame('call', text).toString());
    expect(events).toEqual([{ event: 'call', data: text }]);
    expect(JSON.parse(events[0]!.data)).toEqual({ from: { name } });
  });

  it('holds any text, also one with raw line ends, in exactly one event', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('\r', '\n', ':', ' ', 'event', 'data', '{', '\u2028') }),
        (text) => {
          const read = readEvents(eventFrame('pop', text).toString());
          expect(read).toEqual([{ event: 'pop', data: text.replaceAll(/\r\n|\r/g, '\n') }]);
        },
      ),
    );
  });

  it('keeps any JSON equal between two other frames', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        const wire = Buffer.concat([
          retryFrame(1000),
          eventFrame('call', json),
          heartbeatFrame,
          eventFrame('pop', '{}'),
        ]);
        const read = readEvents(wire.toString());
        expect(read.map(({ event }) => event)).toEqual(['call', 'pop']);
        expect(JSON.parse(read[0]!.data)).toEqual(JSON.parse(json));
      }),
    );
  });
});
