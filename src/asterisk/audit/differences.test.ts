import { describe, expect, it } from 'vitest';
import type { Call } from '../../calls/domain/call.js';
import { differencesOf } from './differences.js';

const at = (seconds: number): string => new Date(Date.UTC(2026, 10, 22, 12) + seconds * 1000).toISOString();
const byLog = {
  outcome: 'answered',
  startedAt: at(0),
  answeredAt: at(4),
  endedAt: at(14),
  talkSeconds: 10,
} as Call;

describe('a record and the log', () => {
  it('are the same within a second', () => {
    expect(differencesOf(byLog, byLog)).toEqual([]);
    const near = { ...byLog, startedAt: at(-1), answeredAt: at(4.9), endedAt: at(13), talkSeconds: 9 };
    expect(differencesOf(near, byLog)).toEqual([]);
  });

  it.each<[what: string, stored: Partial<Call> | null, kinds: readonly string[]]>([
    ['there is none', null, ['missing']],
    ['it was never closed', { endedAt: null, outcome: null, talkSeconds: 0 }, ['open']],
    ['it ended at another time', { endedAt: at(15.1), talkSeconds: 11 }, ['times']],
    ['it began at another time', { startedAt: at(-1.1) }, ['times']],
    ['it was answered at another time', { answeredAt: at(2) }, ['times']],
    ['it was answered', { answeredAt: null, talkSeconds: 0, outcome: 'missed' }, ['times', 'times', 'outcome']],
    ['it came out otherwise', { outcome: 'failed' }, ['outcome']],
  ])('differ where %s', (_, stored, kinds) => {
    const differences = differencesOf(stored === null ? null : { ...byLog, ...stored }, byLog);
    expect(differences.map(({ kind }) => kind)).toEqual(kinds);
  });

  it('say what the one tells, and what the other', () => {
    expect(differencesOf({ ...byLog, endedAt: at(20) }, byLog)).toEqual([
      { kind: 'times', field: 'endedAt', record: at(20), log: at(14) },
    ]);
  });
});
