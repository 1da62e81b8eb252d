import { beforeEach, describe, expect, it } from 'vitest';

import { celCalls, celTalks, parseCel, type CelRow } from './cel.js';

const row = (event: string, at: string, id: string, channel: string, extra = '{}', app = '') =>
  `"${event}","${at}","${id}","1.0","${channel}","Ann","+3161","200","from-trunk","${app}","","","${extra.replaceAll('"', '""')}"`;

describe('parseCel', () => {
  it('reads quoted fields, doubled quotes and microseconds', () => {
    const [first] = parseCel(`${row('HANGUP', '1795341372.323913', '1.0', 'PJSIP/a', '{"hangupcause":16}')}\n`);
    expect(first).toMatchObject({ event: 'HANGUP', uniqueId: '1.0', channel: 'PJSIP/a', extra: { hangupcause: 16 } });
    expect(first?.at).toBeCloseTo(1795341372323.913, 2);
  });

  it("reads the columns of Asterisk's own example", () => {
    const line =
      '"HANGUP","1795592276.861459","Anna Berger","1001","1001","","1002","1002","from-internal","PJSIP/1001-00000000",' +
      '"Dial","PJSIP/1002,20","3","","1795592276.0","1795592276.1","PJSIP/1002-00000001","","","{""hangupcause"":16}"';
    expect(parseCel(`${line}\n`)).toEqual([
      {
        event: 'HANGUP',
        at: expect.closeTo(1795592276861.459, 2),
        uniqueId: '1795592276.0',
        linkedId: '1795592276.1',
        channel: 'PJSIP/1001-00000000',
        callerNumber: '1001',
        exten: '1002',
        context: 'from-internal',
        app: 'Dial',
        appData: 'PJSIP/1002,20',
        peer: 'PJSIP/1002-00000001',
        extra: { hangupcause: 16 },
      },
    ]);
  });

  it('reads an object a line', () => {
    const object = {
      eventtype: 'HANGUP',
      eventtime: '1795592270.616904',
      num: '1002',
      exten: '',
      context: 'from-internal',
      channame: 'PJSIP/1002-00000001',
      appname: 'AppDial',
      appdata: '(Outgoing Line)',
      amaflags: 3,
      uniqueid: '1795592270.1',
      linkedid: '1795592270.0',
      peer: '',
      eventextra: '{"hangupcause":16}',
    };
    expect(parseCel(`${JSON.stringify(object)}\n`)).toEqual([
      {
        event: 'HANGUP',
        at: expect.closeTo(1795592270616.904, 2),
        uniqueId: '1795592270.1',
        linkedId: '1795592270.0',
        channel: 'PJSIP/1002-00000001',
        callerNumber: '1002',
        exten: '',
        context: 'from-internal',
        app: 'AppDial',
        appData: '(Outgoing Line)',
        peer: '',
        extra: { hangupcause: 16 },
      },
    ]);
  });

  it('refuses columns that no configuration writes', () => {
    expect(() => parseCel('"HANGUP","1.0"\n')).toThrow('2 columns');
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

describe('celTalks', () => {
  let clock: number;
  beforeEach(() => {
    clock = 0;
  });
  const step = (event: string, channel: string, bridge = '', technology = 'simple_bridge'): CelRow => ({
    event,
    at: (clock += 1_000),
    uniqueId: `id of ${channel}`,
    linkedId: '1.0',
    channel,
    callerNumber: '',
    exten: '',
    context: '',
    app: '',
    appData: '',
    peer: '',
    extra: bridge === '' ? {} : { bridge_id: bridge, bridge_technology: technology },
  });
  const told = (rows: readonly CelRow[]) =>
    celTalks(rows).map(
      ({ parties, from, until }) => `${parties.join(' ')} ${from / 1_000}-${until === undefined ? '' : until / 1_000}`,
    );

  it('tells from when to when two were in one bridge', () => {
    expect(
      told([
        step('BRIDGE_ENTER', 'PJSIP/trunk-00000000', 'a'),
        step('BRIDGE_ENTER', 'PJSIP/1001-00000001', 'a'),
        step('BRIDGE_EXIT', 'PJSIP/1001-00000001', 'a'),
        step('BRIDGE_ENTER', 'PJSIP/1002-00000002', 'a'),
      ]),
    ).toEqual(['PJSIP/1001 PJSIP/trunk 2-3', 'PJSIP/1002 PJSIP/trunk 4-']);
  });

  it('ends with the channel when nothing tells that it left', () => {
    expect(
      told([
        step('BRIDGE_ENTER', 'PJSIP/trunk-00000000', 'a'),
        step('BRIDGE_ENTER', 'PJSIP/1001-00000001', 'a'),
        step('HANGUP', 'PJSIP/trunk-00000000'),
      ]),
    ).toEqual(['PJSIP/1001 PJSIP/trunk 2-3']);
  });

  it('hears through Local channels, also through two in a row', () => {
    expect(
      told([
        step('BRIDGE_ENTER', 'PJSIP/trunk-00000000', 'a'),
        step('BRIDGE_ENTER', 'Local/1005@forward-00000000;1', 'a'),
        step('BRIDGE_ENTER', 'Local/9@x-00000001;2', 'c'),
        step('BRIDGE_ENTER', 'PJSIP/1002-00000002', 'c'),
        step('BRIDGE_ENTER', 'Local/9@x-00000001;1', 'b'),
        step('BRIDGE_ENTER', 'Local/1005@forward-00000000;2', 'b'),
        step('BRIDGE_EXIT', 'Local/9@x-00000001;1', 'b'),
      ]),
    ).toEqual(['PJSIP/1002 PJSIP/trunk 6-7']);
  });

  it('is one talk while a Local channel is taken out of the way', () => {
    const [trunk, local, far, phone] = [
      'PJSIP/trunk-00000000',
      'Local/1004@member-00000000;1',
      'Local/1004@member-00000000;2',
      'PJSIP/1004-00000002',
    ];
    const rows = [
      step('BRIDGE_ENTER', trunk, 'a'),
      step('BRIDGE_ENTER', local, 'a'),
      step('BRIDGE_ENTER', far, 'b'),
      step('BRIDGE_ENTER', phone, 'b'),
      step('BRIDGE_EXIT', local, 'a'),
      { ...step('BRIDGE_ENTER', phone, 'a'), at: clock - 900 },
      step('BRIDGE_EXIT', trunk, 'a'),
    ];
    expect(told(rows)).toEqual(['PJSIP/1004 PJSIP/trunk 4-7']);
  });

  it('tells every pair of a conference, and nobody in a bridge that only holds', () => {
    expect(
      told([
        step('BRIDGE_ENTER', 'PJSIP/1001-00000001', 'a', 'softmix'),
        step('BRIDGE_ENTER', 'PJSIP/1002-00000002', 'a', 'softmix'),
        step('BRIDGE_ENTER', 'PJSIP/1003-00000003', 'a', 'softmix'),
        step('BRIDGE_ENTER', 'PJSIP/1004-00000004', 'p', 'holding_bridge'),
        step('BRIDGE_ENTER', 'PJSIP/1005-00000005', 'p', 'holding_bridge'),
      ]),
    ).toEqual(['PJSIP/1001 PJSIP/1002 2-', 'PJSIP/1001 PJSIP/1003 3-', 'PJSIP/1002 PJSIP/1003 3-']);
  });
});
