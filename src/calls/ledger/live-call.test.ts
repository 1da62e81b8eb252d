import { describe, expect, it } from 'vitest';
import { readFixtures } from '../../../lab/replay/fixture.js';
import { MemoryStore } from '../../../lab/replay/memory-store.js';
import { replay } from '../../../lab/replay/replay.js';
import type { Call } from '../domain/call.js';
import { LiveCall } from './live-call.js';

const fixture = (await readFixtures()).find(({ name }) => name === 'incoming-an-agent-answers-and-the-caller-hangs-up');
const store = new MemoryStore();
await replay(fixture?.entries ?? [], store);
const record = fixture?.expected[0]?.record as Call;
const facts = store.factsOf(record.id);
const { id, tenantId, pbxNodeId } = record;
const read = (stored: Call): LiveCall => new LiveCall({ id, tenantId, pbxNodeId }, 'boot', facts, stored);

describe('a record that was read', () => {
  it('is left as it is where its facts say the same, whatever is told again', () => {
    const call = read(record);
    expect(call.apply(facts)).toEqual({ news: [], changes: [] });
    expect(call.document).toBe(record);
  });

  it.each<[what: string, wrong: Partial<Call>]>([
    ['was never closed', { status: 'answered', endedAt: null, outcome: null }],
    ['has another time', { answeredAt: new Date(Date.parse(record.startedAt) - 60_000).toISOString() }],
    ['came out otherwise', { outcome: 'missed', outcomeReason: 'caller-gave-up' }],
  ])('and %s is put right when something known is told again, once', (_, wrong) => {
    const call = read({ ...record, ...wrong });
    const [known, ...others] = facts;
    if (known === undefined) throw new Error('no facts');
    const worse = { ...known, at: known.at + 5_000, source: 'estimate' } as typeof known;
    const { news, changes } = call.apply([worse]);
    // The better fact stays what is stored.
    expect(news).toEqual([known]);
    expect(changes.at(-1)?.call).toEqual({ ...record, version: record.version + changes.length });
    expect(call.apply(others)).toEqual({ news: [], changes: [] });
  });

  it('is left as it is where it became part of another', () => {
    const merged = { ...record, outcome: null, mergedInto: record.id } as Call;
    expect(read(merged).apply(facts)).toEqual({ news: [], changes: [] });
  });
});
