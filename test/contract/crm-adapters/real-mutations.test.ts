import { describe, expect, it } from 'vitest';
import { kitEntries } from './adapters.js';
import { capabilitiesOf, runKit } from './kit/run-kit.js';
import { mutations } from './mutations.js';

/** Of different kinds: looked for by a search, known again by a key of ours, described by data. */
const shown = ['espocrm', 'hubspot', 'json'];
const entries = shown.map((name) => kitEntries.find(({ adapter }) => adapter.name === name)!);

for (const entry of entries) {
  const { adapter, startSimulator, ...rest } = entry;
  const capabilities = await capabilitiesOf(entry);
  const lacks = (field: string): boolean => (rest.lacks as readonly string[] | undefined)?.includes(field) === true;
  const applying = mutations.filter(({ applies }) => applies?.(capabilities, lacks) ?? true);

  describe(`the conformance kit, shown ${adapter.title} with a bug,`, () => {
    it('is shown at least 20 of them', () => {
      expect(applying.length).toBeGreaterThanOrEqual(20);
    });

    it.each(applying)('finds this one: $name', async ({ mutate }) => {
      expect(await runKit(mutate(adapter), startSimulator, { ...rest, stopAtFirst: true })).not.toEqual([]);
    });
  });
}
