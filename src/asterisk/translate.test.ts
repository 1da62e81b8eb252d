import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFrame, type AriFrame } from './ari-frame.js';
import { isPrivate, readTypes, translate } from './translate.js';

const callId = '01936c7e-8b2a-7000-8000-000000000001';
const recordingId = '01936c7e-8b2a-7000-8000-00000000000a';
const leg = `rl-${callId}-a0c0`;
const timestamp = '2026-11-22T08:39:46.228+0000';
const at = Date.parse('2026-11-22T08:39:46.228Z');
const caller = {
  id: '1795343276.0',
  name: 'PJSIP/trunk-00000000',
  state: 'Ring',
  protocol_id: '1-77@127.0.0.1',
  caller: { name: 'Alice', number: '+4930111222' },
  creationtime: '2026-11-22T08:39:46.220+0000',
  channelvars: { 'CHANNEL(linkedid)': '1795343276.0' },
};

/** What a frame tells: kinds with their data. */
function told(frame: AriFrame) {
  const translation = translate({ timestamp, ...frame }, 0);
  return translation === null
    ? null
    : { leg: translation.leg, facts: translation.facts.map(({ kind, key, data }) => ({ kind, key, data })) };
}

describe('a key that somebody presses', () => {
  const frame = (id: string, digit: string): AriFrame => ({ type: 'ChannelDtmfReceived', digit, channel: { id } });
  const asked = `rl-${callId}-g0`;

  it.each([
    ['1', true],
    ['2', false],
    ['#', false],
  ])('%s is told of who is asked to press 1', (digit, one) => {
    expect(told(frame(asked, digit))).toEqual({
      leg: asked,
      facts: [{ kind: 'key-pressed', key: '', data: { one } }],
    });
    expect(isPrivate(JSON.stringify(frame(asked, digit)))).toBe(false);
  });

  it.each([caller.id, leg, `rl-${callId}-r`, `rl-${callId}-n0`])('is not looked at, nor kept, on %s', (id) => {
    expect(told(frame(id, '1'))).toBeNull();
    expect(isPrivate(JSON.stringify(frame(id, '1')))).toBe(true);
  });

  it('is known by the type of its frame, whatever a caller is called', () => {
    const named = {
      type: 'StasisStart',
      channel: { ...caller, caller: { name: '"ChannelDtmfReceived"', number: '' } },
    };
    expect(isPrivate(JSON.stringify(named))).toBe(false);
  });
});

describe('what an event tells', () => {
  it('a caller comes in: with number, name and time, and what it is called elsewhere', () => {
    const frame = { type: 'StasisStart', timestamp, args: ['inbound', '4930901820'], channel: caller };
    expect(translate(frame, 0)).toEqual({
      leg: caller.id,
      facts: [
        {
          leg: caller.id,
          kind: 'created',
          key: '',
          at: at - 8,
          source: 'switch',
          data: { side: 'remote', linkedId: caller.id, sipCallId: '1-77@127.0.0.1', name: 'PJSIP/trunk-00000000' },
        },
      ],
      arrival: { did: '4930901820', callerNumber: '+4930111222', callerName: 'Alice', at: at - 8 },
    });
  });

  it.each([[[]], [['inbound']], [['outbound', '4930901820']], [['x', 'inbound', '1']]])(
    'a caller whom the dial plan gives with %j has dialled no line',
    (args) => {
      expect(translate({ type: 'StasisStart', args, channel: caller }, at)?.arrival?.did).toBe('');
    },
  );

  it.each([
    [leg, 'agent'],
    [`rl-${callId}-r`, 'remote'],
  ])('a leg of ours, %s, is no arrival', (id, side) => {
    const translation = translate({ type: 'StasisStart', timestamp, args: ['leg'], channel: { id } }, 0);
    expect(translation?.arrival).toBeUndefined();
    expect(translation?.facts).toMatchObject([
      { kind: 'created', at, data: { side, linkedId: null, sipCallId: null } },
    ]);
  });

  const channel = { id: leg };
  const bridge = { id: `rl-${callId}` };
  it.each<[string, AriFrame, string, unknown[]]>([
    ['it left our app', { type: 'StasisEnd', channel }, leg, [{ kind: 'left-control', key: '', data: {} }]],
    [
      'it rings',
      { type: 'ChannelStateChange', channel: { ...channel, state: 'Ringing' } },
      leg,
      [{ kind: 'ringing', key: '', data: {} }],
    ],
    [
      'it was answered',
      { type: 'ChannelStateChange', channel: { ...channel, state: 'Up' } },
      leg,
      [{ kind: 'answered', key: '', data: {} }],
    ],
    ['it is dialled', { type: 'Dial', peer: channel, dialstatus: '' }, leg, [{ kind: 'dialling', key: '', data: {} }]],
    [
      'it rings, by Dial',
      { type: 'Dial', peer: channel, dialstatus: 'RINGING' },
      leg,
      [{ kind: 'ringing', key: '', data: {} }],
    ],
    [
      'it sends early media',
      { type: 'Dial', peer: channel, dialstatus: 'PROGRESS' },
      leg,
      [{ kind: 'progress', key: '', data: {} }],
    ],
    [
      'it came into a room',
      { type: 'ChannelEnteredBridge', channel, bridge },
      leg,
      [{ kind: 'joined', key: `${bridge.id}@${at}`, data: { room: bridge.id } }],
    ],
    [
      'it left a room',
      { type: 'ChannelLeftBridge', channel, bridge },
      leg,
      [{ kind: 'parted', key: `${bridge.id}@${at}`, data: { room: bridge.id } }],
    ],
    [
      'its party hung up, without a cause',
      { type: 'ChannelHangupRequest', channel },
      leg,
      [{ kind: 'hangup-asked', key: '', data: { byParty: true } }],
    ],
    [
      'a timer ended it, with a cause',
      { type: 'ChannelHangupRequest', channel, cause: 32, soft: true },
      leg,
      [
        { kind: 'hangup-asked', key: '', data: { byParty: false } },
        { kind: 'cause', key: '32', data: { q850: 32 } },
      ],
    ],
    [
      'cause 0 is none',
      { type: 'ChannelHangupRequest', channel, cause: 0 },
      leg,
      [{ kind: 'hangup-asked', key: '', data: { byParty: true } }],
    ],
    [
      'it ended, and why',
      { type: 'ChannelDestroyed', channel, cause: 17, cause_txt: 'User busy', tech_cause: 486 },
      leg,
      [{ kind: 'ended', key: '', data: { q850: 17, sip: 486, text: 'User busy' } }],
    ],
    [
      'it ended, nobody says why',
      { type: 'ChannelDestroyed', channel },
      leg,
      [{ kind: 'ended', key: '', data: { q850: null, sip: null, text: null } }],
    ],
    [
      'a recording began',
      { type: 'RecordingStarted', recording: { name: `rl-${callId}-${recordingId}` } },
      callId,
      [{ kind: 'recording-started', key: recordingId, data: {} }],
    ],
    [
      'a recording is over',
      { type: 'RecordingFinished', recording: { name: `rl-${callId}-${recordingId}`, duration: 4 } },
      callId,
      [{ kind: 'recording-finished', key: recordingId, data: { seconds: 4 } }],
    ],
    [
      'a recording is over, and its length makes no sense',
      { type: 'RecordingFinished', recording: { name: `rl-${callId}-${recordingId}`, duration: -1.5 } },
      callId,
      [{ kind: 'recording-finished', key: recordingId, data: { seconds: null } }],
    ],
    [
      'a recording failed',
      { type: 'RecordingFailed', recording: { name: `rl-${callId}-${recordingId}`, cause: 'disk full' } },
      callId,
      [{ kind: 'recording-failed', key: recordingId, data: { reason: 'The PBX could not record: disk full.' } }],
    ],
  ])('%s', (_, frame, about, facts) => {
    expect(told(frame)).toEqual({ leg: about, facts });
  });

  it.each<[string, AriFrame]>([
    ['another state', { type: 'ChannelStateChange', channel: { id: leg, state: 'Down' } }],
    ['an answer by Dial, which the change of state tells', { type: 'Dial', peer: channel, dialstatus: 'ANSWER' }],
    ['a failure by Dial, which the end tells', { type: 'Dial', peer: channel, dialstatus: 'BUSY' }],
    ['a dialled leg that is not ours', { type: 'Dial', peer: { id: '1.2' }, dialstatus: 'RINGING' }],
    ['a dial of nobody', { type: 'Dial', dialstatus: '' }],
    ['a room of nobody', { type: 'ChannelEnteredBridge', bridge }],
    ['nobody in a room', { type: 'ChannelLeftBridge', channel }],
    ['an end of nobody', { type: 'ChannelDestroyed', cause: 16 }],
    ['a recording that is not ours', { type: 'RecordingFinished', recording: { name: 'voicemail-1', duration: 4 } }],
    ['a recording of nobody', { type: 'RecordingStarted' }],
    ['a type that nobody knows', { type: 'ChannelTeleported', channel }],
  ])('nothing: %s', (_, frame) => {
    expect(told(frame)).toBeNull();
  });

  it('at the time of the switch, or ours where an event has none', () => {
    const end = { type: 'StasisEnd', channel };
    expect(translate({ ...end, timestamp: '2026-11-22T14:09:46.228+0530' }, 5)?.facts[0]?.at).toBe(at);
    expect(translate(end, 5)?.facts[0]?.at).toBe(5);
    expect(translate({ ...end, timestamp: 'yesterday' }, 5)?.facts[0]?.at).toBe(5);
  });

  it('only facts of the right form, or nothing, whatever comes', () => {
    const anything = fc.oneof(fc.constantFrom('Ringing', 'Up', '', 'RINGING', leg, timestamp), fc.jsonValue());
    const part = fc.record(
      {
        id: anything,
        state: anything,
        name: anything,
        caller: anything,
        creationtime: anything,
        channelvars: anything,
      },
      { requiredKeys: [] },
    );
    const frame = fc.record(
      {
        type: fc.oneof(fc.constantFrom<string>(...readTypes), anything),
        timestamp: anything,
        channel: fc.oneof(part, anything),
        peer: fc.oneof(part, anything),
        bridge: fc.oneof(part, anything),
        recording: fc.oneof(
          fc.record({ name: fc.constant(`rl-${callId}-${recordingId}`), duration: anything, cause: anything }),
          anything,
        ),
        args: anything,
        dialstatus: anything,
        cause: anything,
        cause_txt: anything,
        tech_cause: anything,
        soft: anything,
      },
      { requiredKeys: ['type'] },
    );
    fc.assert(
      fc.property(frame, (value) => {
        const parsed = parseFrame(JSON.stringify(value));
        if (parsed === null) return;
        const translation = translate(parsed, 7);
        if (translation === null) return;
        expect(typeof translation.leg).toBe('string');
        for (const fact of translation.facts) {
          expect(Number.isFinite(fact.at)).toBe(true);
          for (const item of Object.values(fact.data))
            expect(['string', 'number', 'boolean'].includes(typeof item) || item === null).toBe(true);
        }
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('what a phone dialled for a transfer', () => {
  const hostile = `\u00001001\ud800${'\u{1f600}'.repeat(300)}`;

  function dialledBy(frame: Omit<AriFrame, 'timestamp'>): string {
    const facts = translate({ ...frame, timestamp }, 0)?.facts ?? [];
    return (
      facts.flatMap(({ kind, data }) => (kind === 'taken-over' || kind === 'transfer-wished' ? data.to : []))[0] ?? ''
    );
  }

  it.each<[string, Omit<AriFrame, 'timestamp'>]>([
    [
      'and Asterisk carried out',
      {
        type: 'StasisStart',
        channel: { id: '1796000000.7', dialplan: { context: 'internal', exten: hostile } },
        replace_channel: { id: leg },
      },
    ],
    [
      'and leaves to us',
      {
        type: 'ChannelTransfer',
        refer_to: { requested_destination: { destination: hostile } },
        referred_by: { source_channel: { id: leg } },
      },
    ],
  ])('%s is stored as text, and no longer than a number', (_how, frame) => {
    const to = dialledBy(frame);
    expect(to).toMatch(/^1001/);
    expect(to).not.toMatch(/\0|\p{Cs}/u);
    expect(to.length).toBeLessThanOrEqual(300);
  });
});
