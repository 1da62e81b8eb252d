import { describe, expect, it } from 'vitest';
import { runKit } from './kit/run-kit.js';
import { mutations } from './mutations.js';
import { toyAdapter } from './toy/toy-adapter.js';
import { startSimulator } from './toy/toy-simulator.js';

describe('the conformance kit', () => {
  it('finds nothing wrong with an adapter that has no bug', async () => {
    expect(await runKit(toyAdapter, startSimulator)).toEqual([]);
  });

  it('is shown at least 20 bugs', () => {
    expect(new Set(mutations.map(({ name }) => name)).size).toBeGreaterThanOrEqual(20);
  });

  it.each(mutations)('finds this one: $name', async ({ mutate }) => {
    expect(await runKit(mutate(toyAdapter), startSimulator, { stopAtFirst: true })).not.toEqual([]);
  });
});
