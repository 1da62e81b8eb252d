import type { CrmCall } from '../../../../src/crm/port/crm-objects.js';
import type { Verdict } from '../../../../src/crm/port/verdict.js';
import { always, type Check } from './check.js';
import { ensure, kitHttp, Scene, valueOf, type Http } from './scene.js';
import { caller, recording, ringing, sampleCall } from './sample-calls.js';

type Step = readonly [name: string, give: () => Promise<Verdict<unknown>>];

/** Steps that can be given at once, `closeCall` last: it makes something. */
function steps(scene: Scene, http: Http = scene.http): readonly Step[] {
  const session = scene.session({ http });
  const call = sampleCall({ userId: scene.anna });
  return [
    ['test', () => session.test()],
    ...(session.findContacts ? [['findContacts', () => session.findContacts!(caller)] as const] : []),
    ...(session.listContacts ? [['listContacts', () => session.listContacts!(null)] as const] : []),
    ...(session.listUsers ? [['listUsers', () => session.listUsers!()] as const] : []),
    ...(session.findCall ? [['findCall', () => session.findCall!(call)] as const] : []),
    ...(session.openCall ? [['openCall', () => session.openCall!(ringing(call))] as const] : []),
    ...(session.updateCall ? [['updateCall', () => session.updateCall!('1', call)] as const] : []),
    ...(session.attachRecording
      ? [['attachRecording', () => session.attachRecording!('1', call, recording())] as const]
      : []),
    ...(session.addNote ? [['addNote', () => session.addNote!('1', call, 'A note')] as const] : []),
    ...(session.removeCall ? [['removeCall', () => session.removeCall!('1')] as const] : []),
    ['closeCall', () => session.closeCall(null, call)],
  ];
}

/** Every step under a fault, after one good request for what is asked once. */
async function under(scene: Scene, fault: Parameters<Scene['fail']>[0], expect: (v: Verdict<unknown>) => boolean) {
  valueOf(await scene.session().test(), 'test');
  scene.fail({ ...fault, times: 10_000 });
  for (const [name, give] of steps(scene)) {
    const before = scene.asked();
    const verdict = await give();
    ensure(scene.asked() === before || expect(verdict), `${name} gave ${JSON.stringify(verdict)}`);
    ensure(scene.asked() - before <= 2, `${name} asked ${scene.asked() - before} times though all fails`);
  }
}

/** What the engine does with a call of which it does not know whether it is there. */
async function again(scene: Scene, call: CrmCall): Promise<void> {
  const session = scene.session();
  const found =
    scene.capabilities.idempotency === 'find' ? valueOf((await session.findCall?.(call))!, 'findCall') : null;
  valueOf(await session.closeCall(found, call), 'closeCall, again');
}

const faults = {
  'lost-answer': { what: 'lost-answer' },
  refused: { what: 'refused' },
  'out of order': { what: 'status', status: 503 },
  'too often': { what: 'status', status: 429, headers: { 'retry-after': '0' } },
} as const;

/**
 * A fault at each request of a step in turn; then the call must be whole, and once. What is there of it by then must be known:
 * nothing may follow, as the call may merge away meanwhile.
 */
function atEachRequest(of: keyof typeof faults, step: 'openCall' | 'closeCall'): Check['run'] {
  return async (first) => {
    const give = async (scene: Scene, call: CrmCall): Promise<Verdict<string>> =>
      step === 'openCall' ? scene.session().openCall!(ringing(call)) : scene.session().closeCall(null, call);
    const contactOf = (scene: Scene) => scene.crm.addContact({ name: 'Carla', numbers: ['+493090182055'] });
    valueOf(await give(first, sampleCall({ userId: first.anna, contact: contactOf(first) })), step);
    const requests = first.asked();
    for (let nth = 0; nth < requests; nth++) {
      const scene = await Scene.open(first.entry, first.http);
      try {
        const contact = contactOf(scene);
        const call = sampleCall({ userId: scene.anna, contact });
        let seen = 0;
        scene.fail({ ...faults[of], times: 1, matches: () => seen++ === nth });
        const verdict = await give(scene, call);
        const where = `request ${nth + 1} of ${step}`;
        const isExpected = ['done', of === 'too often' ? 'rate-limited' : 'retry'].includes(verdict.verdict);
        ensure(isExpected, `${where}: ${JSON.stringify(verdict)}`);
        const isKnown = verdict.verdict === 'done' || verdict.mayBeDone === true || scene.crm.calls().length === 0;
        ensure(isKnown, `${where}: a part of the call is there, and ${JSON.stringify(verdict)} does not say so`);
        if (verdict.verdict === 'done') valueOf(await scene.session().closeCall(verdict.value, call), 'closeCall');
        else await again(scene, call);
        ensure(!scene.call().isOpen, `${where}: it is not closed`);
        scene.holds('contactIds', (ids) => ids.includes(contact.id));
      } finally {
        await scene.crm.stop();
      }
    }
  };
}

const hostile = [
  'null',
  'true',
  '0',
  '""',
  '"x"',
  '[]',
  '{}',
  '[null]',
  '[[]]',
  '{"id":null}',
  '{"id":{}}',
  '{"data":null}',
  '{"data":[null]}',
  '{"data":{"id":{},"attributes":null}}',
  '{"result":null}',
  '{"result":[1,{}]}',
  '{"results":{}}',
  '{"list":[{"id":[]}],"total":"x"}',
  '{"items":7}',
  '{"records":[[]],"done":"no"}',
  '{"_embedded":{"calls":null}}',
  '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  '{"error":{"code":[]}}',
  `${'['.repeat(3_000)}${']'.repeat(3_000)}`,
  JSON.stringify({ data: Array.from({ length: 20_000 }, () => null) }),
];

export const failureChecks: readonly Check[] = [
  ...[500, 502, 504].map((status): Check => ({
    name: `will try again what was answered ${status}`,
    applies: always,
    run: (scene) => under(scene, { what: 'status', times: 1, status, json: {} }, ({ verdict }) => verdict === 'retry'),
  })),
  {
    name: 'will try again what was answered 503',
    applies: always,
    run: (scene) =>
      under(scene, { what: 'status', times: 1, status: 503 }, ({ verdict }) =>
        ['retry', 'rate-limited'].includes(verdict),
      ),
  },
  ...[200, 502].map((status): Check => ({
    name: `takes a page of HTML with status ${status} for an outage`,
    applies: always,
    run: (scene) => under(scene, { what: 'html', times: 1, status }, ({ verdict }) => verdict === 'retry'),
  })),
  {
    name: 'waits as long as Retry-After says in seconds',
    applies: always,
    run: (scene) =>
      under(
        scene,
        { what: 'status', times: 1, status: 429, headers: { 'retry-after': '7' } },
        (v) => v.verdict === 'rate-limited' && v.afterMs === 7_000,
      ),
  },
  {
    name: 'waits as long as Retry-After says by a date',
    applies: always,
    run: (scene) =>
      under(
        scene,
        {
          what: 'status',
          times: 1,
          status: 429,
          headers: { 'retry-after': new Date(Date.now() + 60_000).toUTCString() },
        },
        (v) => v.verdict === 'rate-limited' && (v.afterMs ?? 0) > 30_000 && (v.afterMs ?? 0) <= 61_000,
      ),
  },
  {
    name: 'will try again when the connection is cut',
    applies: always,
    run: (scene) => under(scene, { what: 'refused', times: 1 }, ({ verdict }) => verdict === 'retry'),
  },
  {
    name: 'says that a step whose answer was lost may be done',
    applies: always,
    run: async (scene) => {
      valueOf(await scene.session().test(), 'test');
      scene.fail({ what: 'lost-answer', times: 100 });
      const verdict = await scene.session().closeCall(null, sampleCall({ userId: scene.anna }));
      ensure(verdict.verdict === 'retry' && verdict.mayBeDone === true, JSON.stringify(verdict));
    },
  },
  {
    name: 'will try again, and knows that nothing is done, when nobody listens',
    applies: always,
    run: async (scene) => {
      valueOf(await scene.session().test(), 'test');
      await scene.crm.stop();
      // Without kept connections: on one of those a request could still be written.
      const http = kitHttp();
      try {
        for (const [name, give] of steps(scene, http)) {
          const verdict = await give();
          // `gone`: by its form alone, `1` is no id of this CRM.
          const needsNoAnswer = verdict.verdict === 'done' || verdict.verdict === 'gone';
          const holds = needsNoAnswer || (verdict.verdict === 'retry' && verdict.mayBeDone !== true);
          ensure(holds && (name !== 'closeCall' || verdict.verdict === 'retry'), `${name}: ${JSON.stringify(verdict)}`);
        }
      } finally {
        await http.close();
      }
    },
  },
  ...(Object.keys(faults) as (keyof typeof faults)[]).flatMap((what): Check[] => [
    {
      name: `has one whole call in the end, with a fault (${what}) at any request of closing`,
      applies: always,
      run: atEachRequest(what, 'closeCall'),
    },
    {
      name: `has one whole call in the end, with a fault (${what}) at any request of opening`,
      applies: ({ live }) => live,
      run: atEachRequest(what, 'openCall'),
    },
  ]),
  {
    name: 'gives a verdict whatever JSON comes',
    applies: always,
    run: async (scene) => {
      valueOf(await scene.session().test(), 'test');
      for (const body of hostile) {
        const http: Http = {
          send: async (request) => {
            const outcome = await scene.http.send(request);
            const isToken = new URL(request.url).pathname === scene.tokenPath;
            return outcome.kind === 'answered' && !isToken ? { ...outcome, status: 200, excerpt: body } : outcome;
          },
        };
        for (const [, give] of steps(scene, http)) await give();
      }
      ensure(!('polluted' in {}), 'the prototype of all objects was changed');
    },
  },
  {
    name: 'renews a token that has expired in mid-sync, once, and has one call',
    applies: always,
    run: async (scene) => {
      if (scene.tokenPath === null) return;
      const call = sampleCall({ userId: scene.anna });
      const session = scene.session();
      valueOf(await session.test(), 'test');
      const opened = session.openCall ? valueOf(await session.openCall(ringing(call)), 'openCall') : null;
      const tokens = (): number => scene.crm.requests.filter(({ path }) => path === scene.tokenPath).length;
      const before = tokens();
      scene.crm.expireTokens();
      valueOf(await session.closeCall(opened, call), 'closeCall');
      ensure(tokens() === before + 1, `it asked for ${tokens() - before} tokens`);
      scene.call();
    },
  },
];
