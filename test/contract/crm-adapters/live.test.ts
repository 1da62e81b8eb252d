import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { espocrm } from '../../../src/crm/adapters/espocrm/espocrm.adapter.js';
import { startSimulator, type EspocrmSimulator } from '../../../src/crm/adapters/espocrm/simulator.test-support.js';
import { callChecks } from './kit/call-checks.js';
import { runCheck } from './kit/run-kit.js';
import type { KitEntry } from './kit/scene.js';
import { liveEspocrm, type LiveSettings } from './live/espocrm-live.js';

/** They need a contact or a person at the CRM's screen, which are not made on somebody's server. */
const needsMore = [
  'puts a call to its contact',
  'adds a note beside a call',
  'never overwrites what an agent wrote in the CRM',
];
const without = { idField: null, recordingUrlField: null, recordingField: null };
const capabilities = espocrm.capabilities(espocrm.settings.parse({ url: 'https://x', apiKey: 'x', ...without }));
const checks = callChecks.filter(({ name, applies }) => !needsMore.includes(name) && applies(capabilities));

function entryOf(settings: LiveSettings, users: readonly string[]): KitEntry {
  const startCrm = () => Promise.resolve(liveEspocrm(settings, users));
  return { adapter: espocrm, startSimulator: startCrm, variant: 'a real server', lacks: ['number'] };
}

describe('the live part, on a simulator that is served at an address', () => {
  let crm: EspocrmSimulator;
  let entry: KitEntry;

  beforeAll(async () => {
    crm = await startSimulator({ hasFields: false });
    const users = [crm.addUser({ name: 'Anna' }), crm.addUser({ name: 'Boris' })];
    entry = entryOf(crm.settings as LiveSettings, users);
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
    const { url, apiKey } = crm.settings as LiveSettings;
    expect(await runCheck(mine, entryOf({ url, apiKey }, [boris, 'nobody']))).not.toBeNull();
  });
});

const { ESPOCRM_URL: url, ESPOCRM_API_KEY: apiKey, ESPOCRM_USER_IDS: userIds } = process.env;
const missing = Object.entries({ ESPOCRM_URL: url, ESPOCRM_API_KEY: apiKey, ESPOCRM_USER_IDS: userIds })
  .filter(([, value]) => value === undefined || value === '')
  .map(([name]) => name);

describe.skipIf(missing.length > 0)(
  `a real EspoCRM${missing.length > 0 ? ` (not set: ${missing.join(', ')})` : ''}`,
  () => {
    const entry = entryOf({ url: url ?? '', apiKey: apiKey ?? '' }, (userIds ?? '').split(','));

    it.each(checks)('$name', async (check) => {
      expect(await runCheck(check, entry)).toBeNull();
    });
  },
);
