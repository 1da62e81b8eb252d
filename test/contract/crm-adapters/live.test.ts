import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CrmSimulator } from '../../../lab/crm/crm-simulator.js';
import { espocrm } from '../../../src/crm/adapters/espocrm/espocrm.adapter.js';
import { startSimulator as startEspocrm } from '../../../src/crm/adapters/espocrm/simulator.test-support.js';
import { odoo } from '../../../src/crm/adapters/odoo/odoo.adapter.js';
import { startSimulator as startOdoo } from '../../../src/crm/adapters/odoo/simulator.test-support.js';
import type { CrmAdapter } from '../../../src/crm/port/crm-adapter.js';
import { callChecks } from './kit/call-checks.js';
import { runCheck } from './kit/run-kit.js';
import type { KitEntry } from './kit/scene.js';
import { noteLacks } from './adapters.js';
import { liveEspocrm, type LiveSettings } from './live/espocrm-live.js';
import { liveOdoo, type OdooLiveSettings } from './live/odoo-live.js';

/** One vendor whose server may be had, and how its checks are run on it. */
type Live = {
  readonly title: string;
  readonly adapter: CrmAdapter;
  readonly lacks: KitEntry['lacks'];
  /** What must be set, by the name of what it becomes; `users` are two ids with a comma between them. */
  readonly variables: Readonly<Record<string, string>>;
  readonly connect: (settings: Readonly<Record<string, unknown>>, users: readonly string[]) => CrmSimulator;
  readonly startSimulator: () => Promise<CrmSimulator>;
  /** An ordinary connection, which says what its adapter can do there. */
  readonly ordinary: Readonly<Record<string, unknown>>;
};

const lives: readonly Live[] = [
  {
    title: 'EspoCRM',
    adapter: espocrm,
    lacks: ['number'],
    variables: { url: 'ESPOCRM_URL', apiKey: 'ESPOCRM_API_KEY', users: 'ESPOCRM_USER_IDS' },
    connect: (settings, users) => liveEspocrm(settings as LiveSettings, users),
    startSimulator: () => startEspocrm({ hasFields: false }),
    ordinary: { idField: null, recordingUrlField: null, recordingField: null },
  },
  {
    title: 'Odoo',
    adapter: odoo,
    lacks: noteLacks,
    variables: {
      url: 'ODOO_URL',
      database: 'ODOO_DATABASE',
      login: 'ODOO_LOGIN',
      apiKey: 'ODOO_API_KEY',
      users: 'ODOO_USER_IDS',
    },
    connect: (settings, users) => liveOdoo(settings as OdooLiveSettings, users),
    startSimulator: () => startOdoo({ version: 17, hasPhonecall: false }),
    ordinary: { database: 'x', login: 'x', calls: 'chatter' },
  },
];

/** They need a contact or a person at the CRM's screen, which are not made on somebody's server. */
const needsMore = [
  'puts a call to its contact',
  'adds a note beside a call',
  'never overwrites what an agent wrote in the CRM',
];

describe.each(lives)('the live part for $title', (live) => {
  const { adapter, lacks, variables, connect, ordinary } = live;
  const capabilities = adapter.capabilities(adapter.settings.parse({ url: 'https://x', apiKey: 'x', ...ordinary }));
  const checks = callChecks.filter(({ name, applies }) => !needsMore.includes(name) && applies(capabilities));
  const wanted = Object.keys(variables).filter((name) => name !== 'users');

  function entryOf(settings: Readonly<Record<string, unknown>>, users: readonly string[]): KitEntry {
    const own = Object.fromEntries(wanted.map((name) => [name, settings[name]]));
    const startSimulator = (): Promise<CrmSimulator> => Promise.resolve(connect(own, users));
    return { adapter, startSimulator, variant: 'a real server', ...(lacks !== undefined && { lacks }) };
  }

  describe('on a simulator that is served at an address', () => {
    let crm: CrmSimulator;
    let entry: KitEntry;

    beforeAll(async () => {
      crm = await live.startSimulator();
      entry = entryOf(crm.settings, [crm.addUser({ name: 'Anna' }), crm.addUser({ name: 'Boris' })]);
    });
    afterAll(() => crm.stop());

    it.each(checks)('$name', async (check) => {
      expect(await runCheck(check, entry)).toBeNull();
      // Nothing is left on the server.
      expect(crm.calls()).toEqual([]);
    });

    it('sees what is wrong: a call that is another’s', async () => {
      const mine = checks.find(({ name }) => name.startsWith('gives a call to its owner'))!;
      const boris = crm.addUser({ name: 'Boris' });
      expect(await runCheck(mine, entryOf(crm.settings, [boris, 'nobody']))).not.toBeNull();
    });
  });

  const given = Object.fromEntries(
    Object.entries(variables).map(([name, variable]) => [name, process.env[variable] ?? '']),
  );
  const missing = Object.entries(variables).flatMap(([name, variable]) => (given[name] === '' ? [variable] : []));

  describe.skipIf(missing.length > 0)(
    `a real ${live.title}${missing.length > 0 ? ` (not set: ${missing.join(', ')})` : ''}`,
    () => {
      const { users = '', ...settings } = given;
      const entry = entryOf(settings, users.split(','));

      it.each(checks)('$name', async (check) => {
        expect(await runCheck(check, entry)).toBeNull();
      });
    },
  );
});
