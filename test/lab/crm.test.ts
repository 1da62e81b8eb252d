import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crmAdapters } from '../../src/crm/adapters/crm-adapters.js';
import { CrmLab, type Office } from './crm-scene.js';
import { scenarios } from './crm-scenarios.js';
import type { Expected } from './crm-truth.js';

const usual = {
  click: null,
  pops: false,
  extensions: false,
  tasks: true,
  recording: 'url',
  length: 'talk',
  words: true,
  number: true,
} as const;

/** What each CRM can do with a call, and what it cannot. */
const crms: Readonly<Record<string, Expected>> = {
  amocrm: { ...usual, click: 'answered', pops: true, makes: ['unsorted', 'contact', 'lead'] },
  // A finished call has no text there.
  bitrix24: { ...usual, click: 'told', pops: true, extensions: true, makes: ['lead', 'contact'], words: false },
  // From its beginning to its end, and to whom is in its name and text.
  espocrm: {
    ...usual,
    click: 'answered',
    extensions: true,
    makes: ['lead', 'contact'],
    length: 'whole',
    number: false,
  },
  hubspot: { ...usual, click: 'answered', makes: ['contact'] },
  // SuiteCRM, which has the number in a call’s name.
  json: { ...usual, click: 'answered', makes: ['lead', 'contact'], number: false, length: 'minutes' },
  odoo: { ...usual, click: 'answered', extensions: true, makes: ['lead', 'contact'] },
  pipedrive: { ...usual, click: 'answered', makes: ['lead', 'contact'], recording: 'bytes' },
  salesforce: { ...usual, click: 'answered', makes: ['lead', 'contact'] },
};

let scene: CrmLab;
/** What came of each scenario: CRMs at once, the scenarios of one after the other. Null: it held. */
const played = new Map<string, Promise<Error | null>>();
const cameOf = (name: string, index: number) => played.get(`${name} ${index}`) ?? new Error('it was not played');

beforeAll(async () => {
  scene = await CrmLab.start(Object.keys(crms).filter((name) => crms[name]?.extensions));
  for (const { name } of crmAdapters) {
    let before: Promise<Error | null> = Promise.resolve(null);
    for (const [index, { play }] of scenarios.entries()) {
      before = before.then(() =>
        play(officeOf(name), expectedOf(name)).then(
          () => null,
          (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
        ),
      );
      played.set(`${name} ${index}`, before);
    }
  }
});
afterAll(() => scene?.stop());

function expectedOf(name: string): Expected {
  const expected = crms[name];
  if (expected === undefined) throw new Error(`${name} is not in the table of CRMs`);
  return expected;
}

function officeOf(name: string): Office {
  const office = scene.offices.get(name);
  if (office === undefined) throw new Error(`${name} has no office`);
  return office;
}

for (const { name, title } of crmAdapters) {
  describe(`${title}, end to end`, () => {
    const expected = expectedOf(name);

    it('declares what this table says', () => {
      const { doors, pop, creates, tasks, recording } = officeOf(name).capabilities;
      expect({ click: doors.includes('dial'), pop: pop !== false, tasks, isRecorded: recording !== 'none' }).toEqual({
        click: expected.click !== null,
        pop: expected.pops,
        tasks: expected.tasks,
        isRecorded: true,
      });
      expect(new Set(creates)).toEqual(new Set(expected.makes));
    });

    it.each(scenarios.map((scenario, index) => [scenario.title(expected), index] as const))('%s', async (_, index) => {
      const failure = await cameOf(name, index);
      if (failure !== null) throw failure;
    });

    it('was never asked more than its limits allow, and nothing is left undone', async () => {
      for (const index of scenarios.keys()) await cameOf(name, index);
      const { crm, company, connectionId } = officeOf(name);
      expect(crm.violations).toBe(0);
      expect((await company.call('GET', `/v1/crm-connections/${connectionId}/failures`)).body.items).toEqual([]);
    });
  });
}
