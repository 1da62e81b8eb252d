import { always, type Check } from './check.js';
import { ensure, memoryStore, valueOf, type Scene } from './scene.js';
import { sampleCall } from './sample-calls.js';

/** Each with what its capabilities say of it. */
function declared({ capabilities: can }: Scene): Readonly<Record<string, boolean>> {
  return {
    findContacts: can.search,
    listContacts: can.contactSync,
    listUsers: can.users,
    popScreen: can.pop !== false,
    openCall: can.live,
    updateCall: can.live || can.updateAfterClose,
    attachRecording: can.recording !== 'none',
    addNote: can.note === 'beside',
    createObject: can.creates.length > 0,
    createTask: can.tasks,
    closeTask: can.tasks,
    removeCall: can.remove,
  };
}

/** The settings with every secret altered in one character, so that they keep their form. */
export function withWrongSecrets({ entry, settings }: Scene): Record<string, unknown> {
  const wrong = Object.fromEntries(
    entry.adapter.secrets
      .filter((name) => typeof settings[name] === 'string')
      .map((name) => [name, String(settings[name]).replace(/[a-z\d](?=[^a-z\d]*$)/i, (c) => (c === '1' ? '2' : '1'))]),
  );
  return entry.adapter.settings.parse({ ...settings, ...wrong });
}

export const declarationChecks: readonly Check[] = [
  {
    name: 'has every step that its capabilities declare',
    applies: always,
    run: async (scene) => {
      const session = scene.session();
      for (const [step, isDeclared] of Object.entries(declared(scene))) {
        ensure(!isDeclared || step in session, `${step} is declared and is not there`);
      }
      ensure(scene.capabilities.idempotency === 'key' || 'findCall' in session, 'findCall is not there');
      const hasDoor = scene.entry.adapter.parseInbound !== undefined;
      ensure(hasDoor === scene.capabilities.doors.length > 0, 'parseInbound and the declared doors do not agree');
      await Promise.resolve();
    },
  },
  {
    name: 'has no step that its capabilities do not declare',
    applies: always,
    run: async (scene) => {
      const session = scene.session();
      for (const [step, isDeclared] of Object.entries(declared(scene))) {
        ensure(isDeclared || !(step in session), `${step} is there and is not declared`);
      }
      await Promise.resolve();
    },
  },
  {
    name: 'declares capabilities that are data, and the same each time',
    applies: always,
    run: async ({ entry, settings, capabilities }) => {
      const again = JSON.stringify(entry.adapter.capabilities(settings));
      ensure(JSON.stringify(capabilities) === again, 'they differ');
      await Promise.resolve();
    },
  },
  {
    name: 'names secrets that are settings, and refuses settings of the wrong type',
    applies: always,
    run: async ({ entry: { adapter }, settings }) => {
      for (const name of adapter.secrets) {
        ensure(name in adapter.settings.shape, `${name} is no setting`);
        if (name in settings) {
          ensure(!adapter.settings.safeParse({ ...settings, [name]: { a: 1 } }).success, `${name} may be an object`);
        }
      }
      await Promise.resolve();
    },
  },
  {
    name: 'has a base URL without a slash at its end, and a name for the API',
    applies: always,
    run: async ({ entry: { adapter }, settings }) => {
      const url = adapter.baseUrl(settings);
      ensure(URL.canParse(url) && !url.endsWith('/'), `base URL ${url}`);
      ensure(/^[a-z][a-z\d-]*$/.test(adapter.name) && adapter.title !== '', `name ${adapter.name}`);
      await Promise.resolve();
    },
  },
  {
    name: 'asks for nothing before a step is given',
    applies: always,
    run: async (scene) => {
      scene.session();
      ensure(scene.crm.requests.length === 0, 'it asked when it was connected');
      await Promise.resolve();
    },
  },
  {
    name: 'tests good credentials and tells whose they are',
    applies: always,
    run: async (scene) => {
      ensure(valueOf(await scene.session().test(), 'test') !== '', 'test tells nobody');
    },
  },
  {
    name: 'knows bad credentials for what they are, however the CRM tells it',
    applies: always,
    run: async (scene) => {
      const settings = withWrongSecrets(scene);
      const { verdict } = await scene.session({ settings, store: memoryStore() }).test();
      ensure(verdict === 'credentials-refused', `test gave ${verdict}`);
    },
  },
  {
    name: 'closes no call with bad credentials',
    applies: always,
    run: async (scene) => {
      const session = scene.session({ settings: withWrongSecrets(scene), store: memoryStore() });
      const { verdict } = await session.closeCall(null, sampleCall({ userId: scene.anna }));
      ensure(verdict === 'credentials-refused', `closeCall gave ${verdict}`);
      ensure(scene.crm.calls().length === 0, 'a call was made');
    },
  },
];
