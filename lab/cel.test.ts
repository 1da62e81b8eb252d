import { describe, expect, it } from 'vitest';

import { celCalls, parseCel } from './cel.js';

const row = (event: string, at: string, id: string, channel: string, extra = '{}', app = '') =>
  `"${event}","${at}","${id}","1.0","${channel}","Ann","+3161","200","from-trunk","${app}","","","${extra.replaceAll('"', '""')}"`;

describe('parseCel', () => {
  it('reads quoted fields, doubled quotes and microseconds', () => {
    const [first] = parseCel(`${row('HANGUP', '1795341372.323913', '1.0', 'PJSIP/a', '{"hangupcause":16}')}\n`);
    expect(first).toMatchObject({ event: 'HANGUP', uniqueId: '1.0', channel: 'PJSIP/a', extra: { hangupcause: 16 } });
    expect(first?.at).toBeCloseTo(1795341372323.913, 2);
  });

  it('leaves out a line that is still being written', () => {
    expect(parseCel(`${row('CHAN_START', '1.000000', '1.0', 'a')}\n"ANSWER","1.5`)).toHaveLength(1);
  });
});

describe('celCalls', () => {
  const lines = [
    row('CHAN_START', '1.000000', '1.0', 'PJSIP/trunk-0'),
    row('APP_START', '1.100000', '1.0', 'PJSIP/trunk-0', '{}', 'Dial'),
    row('CHAN_START', '1.200000', '1.1', 'PJSIP/agent1-1'),
    row('ANSWER', '2.000000', '1.1', 'PJSIP/agent1-1'),
    row('BRIDGE_ENTER', '2.100000', '1.1', 'PJSIP/agent1-1', '{"bridge_id":"b"}'),
    row('BRIDGE_ENTER', '2.200000', '1.0', 'PJSIP/trunk-0', '{"bridge_id":"b"}'),
    row('HANGUP', '4.000000', '1.1', 'PJSIP/agent1-1', '{"hangupcause":16,"dialstatus":""}'),
  ];

  it('is open until the last channel hung up', () => {
    expect(celCalls(parseCel(`${lines.join('\n')}\n`))[0]?.endedAt).toBeUndefined();
  });

  it('puts the channels of a linked id together', () => {
    const end = row('HANGUP', '4.500000', '1.0', 'PJSIP/trunk-0', '{"hangupcause":17,"dialstatus":"ANSWER"}');
    const calls = celCalls(parseCel(`${[...lines, end].join('\n')}\n`));
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({ linkedId: '1.0', startedAt: 1000, joinedAt: 2200, endedAt: 4500 });
    expect(calls[0]?.channels).toMatchObject([
      { name: 'PJSIP/trunk-0', cause: 17, dialStatus: 'ANSWER', answeredAt: undefined, apps: ['from-trunk Dial'] },
      { name: 'PJSIP/agent1-1', cause: 16, dialStatus: undefined, answeredAt: 2000 },
    ]);
  });
});
