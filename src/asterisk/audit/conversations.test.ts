import { describe, expect, it } from 'vitest';
import { celLine } from '../../../test/support/cel-lines.js';
import { ConversationReader } from './conversations.js';

const noon = Date.parse('2026-11-22T12:00:00Z');
const minute = 60_000;

function read(...lines: readonly string[]): ConversationReader {
  const reader = new ConversationReader(noon, noon + 10 * minute);
  for (const line of lines) reader.add(line);
  return reader;
}

/** A call of this channel, ms after noon. */
function call(channel: string, from: number, until: number): string[] {
  return [
    celLine('CHAN_START', noon + from, channel, { num: '+4930111222', exten: '4930901820' }),
    celLine('CHAN_END', noon + until, channel),
  ];
}

describe('the conversations of a log', () => {
  it('are those that began in the time, whole, also where they ended after it', () => {
    const [begun, ended] = call('2.0', minute, 20 * minute) as [string, string];
    const later = call('3.0', 11 * minute, 12 * minute);
    const [found, ...others] = read(...call('1.0', -minute, 2 * minute), begun, ...later, ended).conversations();
    expect(others).toEqual([]);
    expect(found).toEqual({
      startedAt: noon + minute,
      channels: ['2.0'],
      from: '+4930111222',
      dialled: '4930901820',
      lines: [begun, ended],
    });
  });

  it('hold every channel that is counted to them, also where two become one', () => {
    const lines = [
      celLine('CHAN_START', noon + 1, '1.0'),
      celLine('CHAN_START', noon + 2, '1.1', { linkedid: '1.0' }),
      celLine('CHAN_START', noon + 3, '1.2'),
      celLine('CHAN_START', noon + 4, '1.3', { linkedid: '1.2' }),
      celLine('BRIDGE_ENTER', noon + 5, '1.3', { linkedid: '1.0' }),
      celLine('CHAN_END', noon + 6, '1.0'),
    ];
    const found = read(...lines).conversations();
    expect(found.map(({ channels }) => channels.toSorted())).toEqual([['1.0', '1.1', '1.2', '1.3']]);
    expect(found[0]?.startedAt).toBe(noon + 1);
    expect(found[0]?.lines).toEqual(lines);
  });

  it('leave out one that began before, though another channel joins it now', () => {
    const older = celLine('CHAN_START', noon - minute, '1.0');
    const joining = [
      celLine('CHAN_START', noon + 1, '1.1'),
      celLine('BRIDGE_ENTER', noon + 2, '1.1', { linkedid: '1.0' }),
    ];
    expect(read(older, ...joining).conversations()).toEqual([]);
  });

  it('take a line once, as a copied log holds it twice, and count what is no line', () => {
    const reader = read(...call('1.0', 1, 2), ...call('1.0', 1, 2), 'no line');
    expect(reader.conversations()[0]?.lines).toEqual(call('1.0', 1, 2));
    expect(reader).toMatchObject({ lines: 5, unreadable: 1 });
  });
});
