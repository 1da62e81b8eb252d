import { describe, expect, it } from 'vitest';
import { crmAdapters } from '../../src/crm/adapters/crm-adapters.js';
import { readOptions } from './options.js';

describe('what the demo is asked for', () => {
  it('is nothing unless told', () => {
    expect(readOptions([])).toEqual({ once: false, crm: null });
  });

  it('may be any CRM that there is an adapter for', () => {
    for (const { name } of crmAdapters)
      expect(readOptions(['--crm', name, '--once'])).toEqual({ once: true, crm: name });
    expect(readOptions(['--once', '--crm=odoo'])).toEqual({ once: true, crm: 'odoo' });
  });

  it.each([
    [['--crm', 'sugar'], 'There is no CRM sugar. Those there are: amocrm, bitrix24, '],
    [['--crm', 'toString'], 'There is no CRM toString.'],
    [['--crm'], '--crm wants the name of a CRM: amocrm, '],
    [['--crm', '--once'], '--crm wants the name of a CRM: amocrm, '],
    [['--onse'], 'The demo knows no --onse.'],
  ])('is refused in words where it is not known: %j', (args, words) => {
    expect(() => readOptions(args)).toThrow(words);
  });
});
