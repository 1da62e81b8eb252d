import { describe, expect, it } from 'vitest';
import { capabilitiesOf, runKit } from './kit/run-kit.js';
import { mutations } from './mutations.js';
import { toyAdapter } from './toy/toy-adapter.js';
import { startSimulator } from './toy/toy-simulator.js';

const capabilities = await capabilitiesOf({ adapter: toyAdapter, startSimulator });
const applying = mutations.filter(({ applies }) => applies?.(capabilities, () => false) ?? true);

describe('the conformance kit', () => {
  it('finds nothing wrong with an adapter that has no bug', async () => {
    expect(await runKit(toyAdapter, startSimulator)).toEqual([]);
  });

  it('is shown at least 20 bugs', () => {
    expect(new Set(applying.map(({ name }) => name)).size).toBeGreaterThanOrEqual(20);
  });

  it.each(applying)('finds this one: $name', async ({ mutate }) => {
    expect(await runKit(mutate(toyAdapter), startSimulator, { stopAtFirst: true })).not.toEqual([]);
  });
});
