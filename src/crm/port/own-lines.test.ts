import { describe, expect, it } from 'vitest';
import { aCall } from '../adapters/adapter-session.test-support.js';
import { linesOfCall, recordingLine, withOwnLine, withOwnLines } from './own-lines.js';

const call = aCall({ id: 'an-id', summary: 'Rang 5 s.' });
const lines = linesOfCall(call, { id: true, recording: true });

describe('a text that belongs to both', () => {
  it('begins with our lines, and leaves a line of its own to whoever goes on', () => {
    expect(withOwnLines(null, lines)).toBe('» Ringline an-id\n» Rang 5 s.\n');
  });

  it('keeps what stands before, between and after our lines', () => {
    const before = 'Above\n» Ringline an-id\nBetween\n» Rang 1 s.\n» Recording: https://r/1.wav\nBelow\n\n';
    const after = 'Above\n» Ringline an-id\n» Rang 5 s.\n» Recording: https://r/1.wav\nBetween\nBelow\n\n';
    expect(withOwnLines(before, lines)).toBe(after);
  });

  it('is the same when it is written again', () => {
    const once = withOwnLines('Mine', lines);
    expect(once).toBe('Mine\n\n» Ringline an-id\n» Rang 5 s.\n');
    expect(withOwnLines(once, lines)).toBe(once);
  });

  it('has what an agent wrote in Ringline line by line, so that none is taken for somebody else’s later', () => {
    const rich = { ...call, note: 'One\r\n\r\nTwo', disposition: 'Sold', tags: ['a', 'b'] };
    const written = withOwnLines('', linesOfCall(rich, { id: true, recording: true }));
    expect(written).toBe('» Ringline an-id\n» Rang 5 s.\n» Result: Sold\n» Tags: a, b\n» Note:\n» One\n» \n» Two\n');
    // A CRM may cut blanks off the ends of lines.
    expect(withOwnLines(written.replace('» \n', '»\n'), lines)).toBe('» Ringline an-id\n» Rang 5 s.\n');
  });

  it('has no id and no link where there are fields for them', () => {
    const rich = { ...call, recordingUrl: 'https://r/1.wav' };
    expect(linesOfCall(rich, { id: false, recording: false })).toEqual(['Ringline', 'Rang 5 s.']);
    expect(linesOfCall(rich, { id: false, recording: true })).toContain('Recording: https://r/1.wav');
  });

  it('has no NUL, which PostgreSQL does not take', () => {
    expect(linesOfCall({ ...call, note: 'a\0b\tc' }, { id: false, recording: false })).toContain('ab\tc');
  });

  it('takes a link once, after our lines', () => {
    const line = recordingLine('https://r/1.wav');
    const once = withOwnLine('» Ringline\nMine', line);
    expect(once).toBe('» Ringline\n» Recording: https://r/1.wav\nMine');
    expect(withOwnLine(once, line)).toBe(once);
    expect(withOwnLine('Mine', line)).toBe('Mine\n\n» Recording: https://r/1.wav\n');
    const rich = linesOfCall({ ...call, recordingUrl: 'https://r/1.wav' }, { id: false, recording: true });
    expect(withOwnLines(once, rich).match(/Recording/g)).toHaveLength(1);
  });
});
