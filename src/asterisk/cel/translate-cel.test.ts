import { describe, expect, it } from 'vitest';
import type { CelLine } from './cel-line.js';
import { translateCel } from './translate-cel.js';

const at = 1795590856659;
const caller: CelLine = {
  event: 'ANSWER',
  at,
  channel: '1795590854.0',
  linkedId: '1795590854.0',
  name: 'PJSIP/trunk-00000000',
  callerName: 'Ann',
  callerNumber: '+4930111222',
  exten: '4930901820',
  context: 'from-trunk',
  app: 'Stasis',
  appData: 'ringline,inbound,4930901820',
  peer: '',
  extra: {},
};
const callId = '01936c7e-8b2a-7000-8000-000000000001';
const agent: CelLine = {
  ...caller,
  channel: `rl-${callId}-a0c0`,
  name: 'PJSIP/agent1-00000001',
  appData: 'ringline,leg',
};

function facts(line: CelLine, startedAt: number | null = null) {
  const translation = translateCel(line, 'ringline', startedAt);
  expect(translation?.facts.every(({ leg, source }) => leg === line.channel && source === 'cel') ?? true).toBe(true);
  return translation?.facts.map(({ kind, key, at: when, data }) => ({ kind, key, at: when, data })) ?? null;
}

const created = (side: string, when: number, line: CelLine) => ({
  kind: 'created',
  key: 'log',
  at: when,
  data: { side, linkedId: line.linkedId, sipCallId: null, name: line.name },
});
const ended = { kind: 'ended', key: 'log', at, data: { q850: null, sip: null, text: null } };

describe('what a line tells', () => {
  it('tells of the far end of a wire only that the party beyond it left', () => {
    const far: CelLine = { ...caller, name: 'Local/_attended@transfer-00000000;2', linkedId: '1795590854.0' };
    const hungUpBy = (asker: string): CelLine => ({
      ...far,
      event: 'HANGUP',
      extra: { hangupcause: 16, hangupsource: asker },
    });
    const near = '1795590854.3';
    expect(translateCel(hungUpBy('PJSIP/agent2-00000004'), 'ringline', null, near)).toEqual({
      leg: near,
      facts: [{ leg: near, kind: 'hangup-asked', key: 'log', at, source: 'cel', data: { byParty: true } }],
    });
    for (const line of [hungUpBy(''), { ...far, event: 'CHAN_START' }, { ...far, event: 'ANSWER' }])
      expect(translateCel(line, 'ringline', null, near)).toBeNull();
  });

  it('the start of a channel of ours: that the leg came to be', () => {
    expect(facts({ ...agent, event: 'CHAN_START' })).toEqual([created('agent', at, agent)]);
    const other = { ...agent, channel: `rl-${callId}-r`, event: 'CHAN_START' };
    expect(facts(other)).toEqual([created('remote', at, other)]);
  });

  it('the start of another channel: nothing yet', () => {
    expect(facts({ ...caller, event: 'CHAN_START' })).toBeNull();
  });

  it('a caller who comes into our app: an arrival, since when his channel is there', () => {
    const line = { ...caller, event: 'APP_START' };
    expect(translateCel(line, 'ringline', at - 5_000)?.arrival).toEqual({
      did: '4930901820',
      callerNumber: '+4930111222',
      callerName: 'Ann',
      at: at - 5_000,
    });
    expect(facts(line, at - 5_000)).toEqual([created('remote', at - 5_000, caller)]);
  });

  it('a caller whose start was not read: an arrival within the second that names his channel', () => {
    const line = { ...caller, event: 'APP_START' };
    expect(translateCel(line, 'ringline', null)?.arrival?.at).toBe(1795590854999);
    expect(translateCel({ ...line, channel: 'pbx1-1795590854.0' }, 'ringline', null)?.arrival?.at).toBe(1795590854999);
    // Never later than the line itself, whatever the channel is called.
    expect(translateCel({ ...line, at: 1795590854100 }, 'ringline', null)?.arrival?.at).toBe(1795590854100);
    expect(translateCel({ ...line, channel: 'named' }, 'ringline', null)?.arrival?.at).toBe(at);
  });

  it.each([
    ['another app', { appData: 'other,inbound,4930901820' }],
    ['another application', { app: 'Dial', appData: 'ringline,inbound,4930901820' }],
    ['other arguments', { appData: 'ringline,leg' }],
  ])('a channel in %s: nothing', (_, changes) => {
    expect(facts({ ...caller, ...changes, event: 'APP_START' })).toBeNull();
  });

  it('a channel without arguments: the switch put it in the place of a leg of ours', () => {
    expect(facts({ ...caller, event: 'APP_START', appData: 'ringline' })).toMatchObject([
      { kind: 'created', data: { side: 'agent' } },
    ]);
  });

  it('a leg of ours in our app: nothing, it was made there', () => {
    expect(facts({ ...agent, event: 'APP_START', appData: 'ringline,inbound,1' })).toBeNull();
  });

  it('the end of our app: that the leg left our control', () => {
    expect(facts({ ...caller, event: 'APP_END' })).toEqual([{ kind: 'left-control', key: 'log', at, data: {} }]);
    expect(facts({ ...caller, event: 'APP_END', app: 'Playback', appData: 'x' })).toBeNull();
  });

  it('an answer', () => {
    expect(facts(caller)).toEqual([{ kind: 'answered', key: '', at, data: {} }]);
  });

  it.each([
    ['BRIDGE_ENTER', 'joined'],
    ['BRIDGE_EXIT', 'parted'],
  ])('%s: a leg that is %s', (event, kind) => {
    const extra = { bridge_id: `rl-${callId}`, bridge_technology: 'simple_bridge' };
    expect(facts({ ...caller, event, extra })).toEqual([
      { kind, key: `rl-${callId}@${at}`, at, data: { room: `rl-${callId}` } },
    ]);
    expect(facts({ ...caller, event })).toBeNull();
  });

  it.each([
    ['its own party', 'PJSIP/trunk-00000000', true],
    ['the other party’s leg', 'PJSIP/agent1-00000001', false],
    ['a command', '', false],
  ])('the end of a leg by %s', (_, hangupsource, byParty) => {
    const extra = { hangupcause: 17, hangupsource, dialstatus: '' };
    expect(facts({ ...caller, event: 'HANGUP', extra })).toEqual([
      { kind: 'hangup-asked', key: 'log', at, data: { byParty } },
      { kind: 'cause', key: '17', at, data: { q850: 17 } },
      ended,
    ]);
  });

  it('an end whose cause the log does not know', () => {
    for (const hangupcause of [0, undefined, '16', null])
      expect(facts({ ...caller, event: 'HANGUP', extra: { hangupcause } })?.map(({ kind }) => kind)).toEqual([
        'hangup-asked',
        'ended',
      ]);
    expect(facts({ ...caller, event: 'CHAN_END' })).toEqual([ended]);
  });

  it.each(['LINKEDID_END', 'USER_DEFINED', 'BLINDTRANSFER', 'LOCAL_OPTIMIZE', 'chan_end', ''])(
    '%s: nothing of a driven call',
    (event) => {
      expect(facts({ ...caller, event })).toBeNull();
    },
  );
});
