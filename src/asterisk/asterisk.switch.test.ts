import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DialEndpoint } from '../numbers/dial-endpoint.js';
import { AsteriskSwitch } from './asterisk.switch.js';
import type { NodeSessions } from './node-sessions.js';
import type { AriAnswer } from './session/commands.js';

const node = { nodeId: 'node', boot: 'boot' };
const ok = (body: unknown = null, status = 200): AriAnswer => ({ kind: 'answered', status, body });
const lost: AriAnswer = { kind: 'unknown', text: 'no answer within 3 s' };
const refusedConnection: AriAnswer = { kind: 'not-sent', text: 'ECONNREFUSED' };

/** A switch whose node answers as told, and what it was asked. */
function switchThat(answer: (method: string, path: string) => AriAnswer) {
  const asked: { readonly request: string; readonly body: unknown }[] = [];
  const session = {
    app: 'ringline',
    transfersBy: 'pbx' as 'pbx' | 'ringline',
    boot: 'boot',
    clockOffsetMs: 0,
    rooms: new Set<string>(),
    commands: {
      send: (method: string, path: string, body?: unknown) => {
        asked.push({ request: `${method} ${path}`, body });
        return Promise.resolve(answer(method, path));
      },
    },
  };
  const sessions = { find: (id: string) => (id === 'node' ? session : null) } as unknown as NodeSessions;
  return { telephony: new AsteriskSwitch(sessions), asked, session };
}

const leg = {
  leg: 'rl-1-a0c0',
  endpoint: 'PJSIP/agent1' as DialEndpoint,
  display: { shownNumber: '+4930111222', shownName: null, ownNumber: '+4930901820', autoAnswer: 'none' as const },
  party: 'phone' as const,
  leaseSeconds: 35,
};

describe('the answer to a command', () => {
  it.each<[string, AriAnswer, unknown]>([
    ['200 is done', ok({}), { kind: 'done' }],
    ['204 is done', ok(null, 204), { kind: 'done' }],
    ['404 is gone', ok({ message: 'Channel not found' }, 404), { kind: 'gone' }],
    [
      '409 is refused',
      ok({ message: 'Channel not in Stasis' }, 409),
      { kind: 'refused', text: '409 Channel not in Stasis' },
    ],
    ['500 is refused', ok({ error: 'Allocation failed' }, 500), { kind: 'refused', text: '500 Allocation failed' }],
    ['a strange body is no trouble', ok({ message: { a: 1 } }, 500), { kind: 'refused', text: '500 ' }],
    ['nothing sent is refused', refusedConnection, { kind: 'refused', text: 'ECONNREFUSED' }],
    ['a lost answer is unknown', lost, { kind: 'unknown', text: 'no answer within 3 s' }],
  ])('%s', async (_, answer, result) => {
    const { telephony, asked } = switchThat(() => answer);
    expect(await telephony.dialLeg(node, 'rl-1-r', 30)).toEqual(result);
    // Whatever it was, it is not repeated here.
    expect(asked).toEqual([{ request: 'POST /channels/rl-1-r/dial?timeout=30', body: undefined }]);
  });

  it('is refused without a question when the node is not connected', async () => {
    const { telephony, asked } = switchThat(() => ok());
    expect((await telephony.dialLeg({ nodeId: 'other', boot: 'x' }, 'rl-1-r', 30)).kind).toBe('refused');
    expect((await telephony.createLeg({ nodeId: 'other', boot: 'x' }, leg)).kind).toBe('refused');
    expect(asked).toEqual([]);
  });
});

describe('ending a leg', () => {
  it.each([
    ['cancelled', ''],
    ['answered-elsewhere', '?reason=answered_elsewhere'],
    ['blocked', '?reason=rejected'],
  ] as const)('that is %s says so: %j', async (why, query) => {
    const { telephony, asked } = switchThat(() => ok(null, 204));
    expect(await telephony.endLeg(node, '1.2', why)).toEqual({ kind: 'done' });
    expect(asked.map(({ request }) => request)).toEqual([`DELETE /channels/1.2${query}`]);
  });
});

describe('making a leg', () => {
  it.each<[string, AriAnswer, string]>([
    ['the leg is there: it was made before', ok({ state: 'Down' }), 'done'],
    ['the leg is not there: no phone is registered', ok({ message: 'Not found' }, 404), 'refused'],
    ['nobody knows', lost, 'unknown'],
    ['the switch fails', ok(null, 500), 'unknown'],
  ])('409 proves nothing, so the switch is asked; %s', async (_, presence, kind) => {
    const { telephony, asked } = switchThat((method) => (method === 'GET' ? presence : ok({ message: 'exists' }, 409)));
    expect((await telephony.createLeg(node, leg)).kind).toBe(kind);
    expect(asked.map(({ request }) => request)).toEqual(['POST /channels/create', 'GET /channels/rl-1-a0c0']);
  });

  it('sends what was built from checked parts, and a lease', async () => {
    const { telephony, asked } = switchThat(() => ok({}));
    await telephony.createLeg(node, { ...leg, display: { ...leg.display, autoAnswer: 'call-info' } });
    expect(asked[0]?.body).toEqual({
      endpoint: 'PJSIP/agent1',
      app: 'ringline',
      appArgs: 'leg',
      channelId: 'rl-1-a0c0',
      variables: {
        'TIMEOUT(absolute)': '35',
        'CALLERID(num)': '+4930901820',
        'CONNECTEDLINE(num)': '+4930111222',
        'PJSIP_HEADER(add,Call-Info)': '<sip:ringline>;answer-after=0',
      },
    });
  });

  it('shows a name in which nothing ends the quoted text of a header, whatever it was', async () => {
    const { telephony, asked } = switchThat(() => ok({}));
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), async (shownName) => {
        await telephony.createLeg(node, { ...leg, display: { ...leg.display, shownName } });
        const { variables } = asked.at(-1)!.body as { variables: Record<string, string> };
        const name = variables['CONNECTEDLINE(name)'] ?? '';
        expect(name).not.toMatch(/["\\<>\p{Cc}]/u);
        expect(name.length).toBeLessThanOrEqual(64);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('questions', () => {
  it.each<[AriAnswer, string]>([
    [ok({ state: 'Down' }), 'idle'],
    [ok({ state: 'Ringing' }), 'ringing'],
    [ok({ state: 'Up' }), 'answered'],
    [ok({ message: 'Not found' }, 404), 'gone'],
    [ok(null), 'idle'],
    [ok(null, 500), 'unknown'],
    [lost, 'unknown'],
    [refusedConnection, 'unknown'],
  ])('how a leg is: %j is %s', async (answer, presence) => {
    expect(await switchThat(() => answer).telephony.presenceOf(node, 'rl-1-r')).toBe(presence);
  });

  it.each<[AriAnswer, string]>([
    [ok({ state: 'online' }), 'online'],
    [ok({ state: 'offline' }), 'offline'],
    [ok({ state: 'unknown' }), 'offline'],
    [ok({ message: 'Endpoint not found' }, 404), 'absent'],
    [ok(null, 500), 'unknown'],
    [lost, 'unknown'],
    [refusedConnection, 'unknown'],
  ])('whether an endpoint can be rung: %j is %s', async (answer, presence) => {
    expect(await switchThat(() => answer).telephony.endpointPresence('node', 'agent1')).toBe(presence);
  });

  it('contacts are those of the endpoint that may be dialled, five at most', async () => {
    const contact = (i: number) => `PJSIP/agent1/sip:agent1@127.0.0.1:${5060 + i}`;
    const value = [
      contact(1),
      'PJSIP/agent2/sip:agent2@127.0.0.1:1',
      'PJSIP/agent1/sip:x@y?Replaces=z',
      'Local/s@from-agents',
      ...[2, 3, 4, 5, 6, 7].map(contact),
    ].join('&');
    const { telephony, asked } = switchThat(() => ok({ value }));
    expect(await telephony.contactsOf(node, 'agent1', '1.2')).toEqual(
      [1, 2, 3, 4, 5].map((i) => `sip:agent1@127.0.0.1:${5060 + i}`),
    );
    expect(asked[0]?.request).toBe('GET /channels/1.2/variable?variable=PJSIP_DIAL_CONTACTS(agent1)');
  });

  it.each<[string, AriAnswer, readonly string[] | null]>([
    ['no phone', ok({ value: '' }), []],
    ['no answer', lost, null],
    ['a failure', ok(null, 500), null],
    ['no text', ok({ value: 7 }), null],
  ])('contacts: %s', async (_, answer, contacts) => {
    expect(await switchThat(() => answer).telephony.contactsOf(node, 'agent1', '1.2')).toEqual(contacts);
  });
});

describe('who is beyond a wire', () => {
  const wire = 'Local/_attended@transfer-0000001f;1';
  const beyond = (...answers: AriAnswer[]) => {
    const { telephony, asked } = switchThat(() => (answers.length > 1 ? answers.shift() : answers[0]) as AriAnswer);
    return { of: (name: string) => telephony.partyBeyond(node, '1795.4', name), asked };
  };

  it('is whom its far end has joined, which may take a moment', async () => {
    const { of, asked } = beyond(ok({ value: '' }), ok({ value: 'PJSIP/agent2-00000003' }));
    expect(await of(wire)).toBe('PJSIP/agent2-00000003');
    const variable = 'IMPORT(Local/_attended@transfer-0000001f;2,BRIDGEPEER)';
    const request = `GET /channels/1795.4/variable?variable=${encodeURIComponent(variable)}`;
    expect(asked.map((one) => one.request)).toEqual([request, request]);
  });

  it('is the first of several', async () => {
    expect(await beyond(ok({ value: 'PJSIP/agent2-3,PJSIP/agent3-4' })).of(wire)).toBe('PJSIP/agent2-3');
  });

  it.each<[string, AriAnswer]>([
    ['nobody comes', ok({ value: '' })],
    ['the module is not loaded', ok({ message: 'Unable to read provided function' }, 500)],
    ['it is gone', ok({ message: 'Channel not found' }, 404)],
    ['the answer is lost', lost],
  ])('is not known when %s', async (_, answer) => {
    expect(await beyond(answer).of(wire)).toBeNull();
  });

  it.each(['Local/7001@from-agents-0000001f;1', 'PJSIP/agent2-00000003', 'Local/_attended@transfer-1f;2', wire + ')'])(
    'is not asked of %s',
    async (name) => {
      const { of, asked } = beyond(ok({ value: 'PJSIP/agent2-00000003' }));
      expect(await of(name)).toBeNull();
      expect(asked).toEqual([]);
    },
  );
});

describe('a question', () => {
  const id = 'rl-1-g0-question';
  const gone = ok({ message: 'Playback not found' }, 404);

  it('begins when what an earlier process asked has ended, and is heard twice', async () => {
    let isPlaying = true;
    const { telephony, asked } = switchThat((method) => {
      if (method === 'POST') return ok({}, 201);
      const answer = isPlaying ? ok(null, 204) : gone;
      isPlaying = false;
      return answer;
    });
    expect(await telephony.askToConfirm(node, 'rl-1-g0')).toEqual({ kind: 'done' });
    expect(asked.map(({ request }) => request.split('?')[0])).toEqual([
      `DELETE /playbacks/${id}`,
      `DELETE /playbacks/${id}`,
      `POST /channels/rl-1-g0/play/${id}`,
    ]);
    const media = new URLSearchParams(asked.at(-1)?.request.split('?')[1]).get('media') ?? '';
    expect(media.split(',').filter((sound) => sound === 'sound:followme/options')).toHaveLength(2);
  });

  it('that will not end is not waited for for ever', async () => {
    const { telephony, asked } = switchThat(() => ok(null, 204));
    expect(await telephony.stopAsking(node, 'rl-1-g0')).toEqual({ kind: 'done' });
    expect(asked.length).toBeLessThan(30);
  });
});

describe('who was tied to another', () => {
  it('is tied to somebody else, or to nobody', async () => {
    const { telephony, asked } = switchThat(() => ok(null, 204));
    await telephony.retieLegs(node, '1.2', 'PJSIP/agent2-00000003');
    await telephony.retieLegs(node, '1.2', null);
    expect(asked.map(({ request }) => decodeURIComponent(request))).toEqual([
      'POST /channels/1.2/variable?variable=RINGLINE_PARTNER&value=PJSIP/agent2-00000003',
      'POST /channels/1.2/variable?variable=CHANNEL(hangup_handler_push)&value=ringline-partner,s,1(PJSIP/agent2-00000003)',
      'POST /channels/1.2/variable?variable=RINGLINE_PARTNER&value=nobody',
    ]);
  });
});

describe('rooms', () => {
  it('are made once, and again after they were closed', async () => {
    const { telephony, asked } = switchThat(() => ok(null, 204));
    await telephony.joinLegs(node, 'rl-1', ['1.2', 'rl-1-r']);
    await telephony.joinLegs(node, 'rl-1', ['rl-1-a0c0']);
    await telephony.closeRoom(node, 'rl-1');
    await telephony.joinLegs(node, 'rl-1', ['1.2']);
    expect(asked.map(({ request }) => request)).toEqual([
      'POST /bridges/rl-1?type=mixing',
      'POST /bridges/rl-1/addChannel?channel=1.2,rl-1-r',
      'POST /bridges/rl-1/addChannel?channel=rl-1-a0c0',
      'DELETE /bridges/rl-1',
      'POST /bridges/rl-1?type=mixing',
      'POST /bridges/rl-1/addChannel?channel=1.2',
    ]);
  });

  it('that were made in an earlier session are joined', async () => {
    const { telephony, asked } = switchThat((_, path) =>
      path.includes('type=mixing') ? ok({ message: "Bridge with id 'rl-1' already exists" }, 409) : ok(null, 204),
    );
    expect((await telephony.joinLegs(node, 'rl-1', ['1.2'])).kind).toBe('done');
    expect(asked.at(-1)?.request).toBe('POST /bridges/rl-1/addChannel?channel=1.2');
  });

  it('whose making got no answer are not joined, and made when it is asked again', async () => {
    let answer: AriAnswer = lost;
    const { telephony, asked } = switchThat(() => answer);
    expect((await telephony.joinLegs(node, 'rl-1', ['1.2'])).kind).toBe('unknown');
    answer = ok(null, 204);
    expect((await telephony.joinLegs(node, 'rl-1', ['1.2'])).kind).toBe('done');
    expect(asked.filter(({ request }) => request.includes('type=mixing'))).toHaveLength(2);
  });
});

describe('ids in paths', () => {
  it('cannot lead elsewhere', async () => {
    const { telephony, asked } = switchThat(() => ok());
    await telephony.answerLeg(node, '../bridges/x?y#z');
    expect(asked[0]?.request).toBe('POST /channels/..%2Fbridges%2Fx%3Fy%23z/answer');
  });
});

describe('recording a room', () => {
  const live = 'GET /recordings/live/rl-1-2';
  const stored = 'GET /recordings/stored/rl-1-2';
  it.each<[string, (method: string, path: string) => AriAnswer, unknown, string[]]>([
    ['begins', () => ok({}, 201), { kind: 'done' }, []],
    ['the room is gone', () => ok({}, 404), { kind: 'gone' }, []],
    [
      'it cannot be written',
      () => ok({}, 500),
      { kind: 'refused', text: expect.stringContaining('folder “recording”') as string },
      [],
    ],
    ['no answer comes', () => lost, { kind: 'unknown', text: 'no answer within 3 s' }, []],
    [
      'it was begun before',
      (method) => (method === 'GET' ? ok({}) : ok({ message: 'exists' }, 409)),
      { kind: 'done' },
      [live],
    ],
    [
      'it was begun before, and is over',
      (method, path) => (method !== 'GET' ? ok({ message: 'exists' }, 409) : ok({}, path.includes('live') ? 404 : 200)),
      { kind: 'done' },
      [live, stored],
    ],
    [
      '409 of something else',
      (method) => (method === 'GET' ? ok({}, 404) : ok({ message: 'not now' }, 409)),
      { kind: 'refused', text: '409 not now' },
      [live, stored],
    ],
    [
      '409, and nobody knows',
      (method) => (method === 'GET' ? lost : ok({ message: 'exists' }, 409)),
      { kind: 'unknown', text: 'the PBX did not say whether it records' },
      [live],
    ],
  ])('%s', async (_, answer, result, questions) => {
    const { telephony, asked } = switchThat(answer);
    expect(await telephony.startRecording(node, 'rl-1', 'rl-1-2', 7260)).toEqual(result);
    expect(asked.map(({ request }) => request)).toEqual([
      // Else the end of the recording would not be told.
      'POST /applications/ringline/subscription?eventSource=bridge%3Arl-1',
      'POST /bridges/rl-1/record?name=rl-1-2&format=wav&ifExists=fail&maxDurationSeconds=7260',
      ...questions,
    ]);
  });

  it('is paused, resumed and stopped by its name', async () => {
    const { telephony, asked } = switchThat(() => ok(null, 204));
    expect(await telephony.pauseRecording(node, 'rl-1-2')).toEqual({ kind: 'done' });
    expect(await telephony.resumeRecording(node, 'rl-1-2')).toEqual({ kind: 'done' });
    expect(await telephony.stopRecording(node, 'rl-1-2')).toEqual({ kind: 'done' });
    expect(asked.map(({ request }) => request)).toEqual([
      'POST /recordings/live/rl-1-2/pause',
      'DELETE /recordings/live/rl-1-2/pause',
      'POST /recordings/live/rl-1-2/stop',
    ]);
  });
});
