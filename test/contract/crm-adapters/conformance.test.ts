import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { crmAdapters } from '../../../src/crm/adapters/crm-adapters.js';
import { kitEntries } from './adapters.js';
import { capabilitiesOf, checks, runCheck } from './kit/run-kit.js';

const listed = new Set(kitEntries.map(({ adapter }) => adapter.name));

describe('the conformance kit', () => {
  it('has at least 40 checks, each with a name of its own', () => {
    expect(new Set(checks.map(({ name }) => name)).size).toBe(checks.length);
    expect(checks.length).toBeGreaterThanOrEqual(40);
  });

  it('lists every adapter and every folder of adapters', () => {
    const folders = readdirSync('src/crm/adapters', { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    expect(folders.filter((name) => !listed.has(name))).toEqual([]);
    expect(crmAdapters.filter(({ name }) => !listed.has(name)).map(({ name }) => name)).toEqual([]);
  });
});

for (const entry of kitEntries) {
  const { adapter, variant } = entry;
  const capabilities = await capabilitiesOf(entry);
  describe(`${adapter.title}${variant === undefined ? '' : `, ${variant}`}`, () => {
    it.each(checks.filter(({ applies }) => applies(capabilities)))('$name', async (check) => {
      expect(await runCheck(check, entry)).toBeNull();
    });
  });
}
