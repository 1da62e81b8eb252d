import { describe, expect, it } from 'vitest';
import { endpointOf, rungByWire } from './translate-observed.js';

describe('the name of a channel', () => {
  it.each([
    ['PJSIP/alice-0000002a', 'alice'],
    ['PJSIP/my-trunk-0000002a', 'my-trunk'],
    ['SIP/1001-0000002a', '1001'],
    ['IAX2/provider-4321', 'provider'],
    ['DAHDI/i1/0301234567-2f', 'i1'],
    ['DAHDI/4-1', '4'],
    ['Local/1001@from-internal-0000002a;1', null],
    ['CBAnn/800-0000002a;1', null],
    ['Snoop/1795343276.0-0000002a', null],
    ['AudioSocket/127.0.0.1:9092-01936c7e-8b2a-7000-8000-000000000001', null],
    ['Message/ast_msg_queue', null],
    ['', null],
  ])('%s is of the endpoint %s', (name, endpoint) => {
    expect(endpointOf({ id: '1.1', name })).toBe(endpoint);
  });

  it.each([
    ['Local/1001@from-internal-0000002a;1', '1001'],
    ['Local/*1@x@from-internal-0000002a;1', '*1@x'],
    ['Local/1001@from-internal-0000002a;2', null],
    ['PJSIP/1001-0000002a', null],
    [undefined, null],
  ])('%s is a wire to %s', (name, rung) => {
    expect(rungByWire(name)).toBe(rung);
  });
});
