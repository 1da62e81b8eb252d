import { describe, expect, it } from 'vitest';
import { readEntry, type StreamEntry } from '../../src/asterisk/raw-stream/stream-entry.js';
import { aboutCall } from './about-call.js';
import { differences } from './differences.js';
import { readFixtures, type Fixture } from './fixture.js';
import { parseStream } from './read-stream.js';
import { replay } from './replay.js';
import { tellDifferences, tellReplay } from './tell-replay.js';

const fixtures = await readFixtures();
const find = (name: string): Fixture => {
  const found = fixtures.find((fixture) => fixture.name === name);
  if (found === undefined) throw new Error(`there is no fixture ${name}`);
  return found;
};
const incoming = find('incoming-an-agent-answers-and-the-caller-hangs-up');
const click = find('click-to-call-the-customer-answers-and-hangs-up');
const recordIn = ({ expected }: Fixture) => (expected[0] as Fixture['expected'][number]).record;

describe('a replay', () => {
  it('of a stream with many calls gives each its record', async () => {
    // Snapshots of a fixture know no other call, and would end them all.
    const together = fixtures.filter(({ entries }) => entries.every(({ kind }) => kind !== 'snapshot'));
    expect(together.length).toBeGreaterThan(20);
    const all = together.flatMap(({ entries }) => entries).toSorted((a, b) => a.at - b.at);
    const { calls, unassigned } = await replay(all);
    const records = new Map(calls.map(({ record }) => [record.id, record]));
    const expected = new Map(together.map((fixture) => [recordIn(fixture).id, recordIn(fixture)]));
    expect(records).toEqual(expected);
    expect(unassigned).toBe(0);
  });

  it('of what is taken out of such a stream about one call is the same call', async () => {
    const all = [...incoming.entries, ...click.entries].toSorted((a, b) => a.at - b.at);
    expect(aboutCall(all, recordIn(click).id)).toEqual(click.entries);
    expect(aboutCall(all, recordIn(incoming).id)).toEqual(incoming.entries);
  });

  it('uses the line as it was when each caller came', async () => {
    const renamed = incoming.entries.map((entry): StreamEntry => {
      const text = JSON.stringify(entry)
        .replaceAll(recordIn(incoming).id, '01936c7e-8b2a-7000-8000-000000000001')
        .replaceAll(/"leg":"(\d+)\./g, '"leg":"9$1.')
        .replaceAll(/\\"id\\":\\"(\d+)\./g, '\\"id\\":\\"9$1.')
        .replaceAll(JSON.stringify(recordIn(incoming).line?.name), '"Later"');
      return readEntry(text) as StreamEntry;
    });
    const { calls } = await replay([...incoming.entries, ...renamed]);
    expect(calls.map(({ record }) => record.line?.name)).toEqual([recordIn(incoming).line?.name, 'Later']);
  });

  it('counts what it cannot use: calls that began before, frames that are none, lines that were lost', async () => {
    const { at, node, boot, app } = incoming.entries[0] as StreamEntry;
    const start = incoming.entries.findIndex(({ kind }) => kind === 'frame');
    const rest = incoming.entries.slice(start + 1).filter(({ kind }) => kind === 'frame');
    const replayed = await replay([
      ...rest,
      { at, node, boot, app, kind: 'frame', text: 'no event' },
      { at, node, boot, app, kind: 'missed', lines: 7 },
    ]);
    expect(replayed).toMatchObject({ calls: [], frames: rest.length + 1, badFrames: 1, missed: 7 });
    expect(replayed.unassigned).toBeGreaterThan(5);
  });

  it('passes over lines that are no entries, and counts them', () => {
    const line = JSON.stringify(incoming.entries[0]);
    expect(parseStream(`${line}\n{"at":1}\n\nnull\n${line.slice(0, 50)}`)).toEqual({
      entries: [incoming.entries[0]],
      unreadable: 3,
    });
  });

  it('tells a person how each call went', async () => {
    const text = tellReplay(await replay(click.entries));
    expect(text).toContain(`call ${recordIn(click).id}: outbound, ${recordIn(click).from.e164} -> `);
    expect(text).toContain('answered (talked), ended by remote; waited 0 s, talked 2 s');
    expect(text).toMatch(/^ {4}4 \S+Z call\.ended {5}status "ended", outcome "answered"/m);
    expect(text).toMatch(/\n\ncalls: 1, frames: \d+(?:, snapshots: \d+)?$/);
  });
});

describe('the comparison of two replays', () => {
  it('finds nothing between a stream and itself', async () => {
    const { calls } = await replay(click.entries);
    expect(tellDifferences(differences(calls, structuredClone(calls)))).toBe('no differences');
  });

  it('names each field that differs, and calls that only one has', async () => {
    const { calls } = await replay(click.entries);
    const other = calls.map(({ record, events }) => ({
      record: { ...record, hangup: record.hangup && { ...record.hangup, by: 'agent' as const } },
      events: events.slice(0, -1),
    }));
    const id = recordIn(click).id;
    expect(differences(calls, other)).toMatchObject([
      { call: id, field: 'record.hangup.by', one: 'remote', other: 'agent' },
      { call: id, field: 'events.3', one: { type: 'call.ended' }, other: undefined },
    ]);
    expect(differences(calls, [])).toMatchObject([{ call: id, field: '', other: undefined }]);
    expect(tellDifferences(differences(calls, []))).toContain('the call: {"record":');
  });
});
