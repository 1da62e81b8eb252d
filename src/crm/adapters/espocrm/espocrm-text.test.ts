import { describe, expect, it } from 'vitest';
import { aCall } from '../adapter-session.test-support.js';
import { withOurLines, withRecordingLink } from './espocrm-text.js';

const fields = { idField: null, recordingUrlField: null };
const call = aCall({ id: 'an-id', summary: 'Rang 5 s.' });

describe('a description', () => {
  it('begins with our lines, and leaves a line of its own to whoever goes on', () => {
    expect(withOurLines(null, call, fields)).toBe('» Ringline an-id\n» Rang 5 s.\n');
  });

  it('keeps what stands before, between and after our lines', () => {
    const before = 'Above\n» Ringline an-id\nBetween\n» Rang 1 s.\n» Recording: https://r/1.wav\nBelow\n\n';
    expect(withOurLines(before, call, fields)).toBe(
      'Above\n» Ringline an-id\n» Rang 5 s.\n» Recording: https://r/1.wav\nBetween\nBelow\n\n',
    );
  });

  it('is the same when it is written again', () => {
    const once = withOurLines('Mine', call, fields);
    expect(once).toBe('Mine\n\n» Ringline an-id\n» Rang 5 s.\n');
    expect(withOurLines(once, call, fields)).toBe(once);
  });

  it('has what the agent wrote in Ringline line by line, so that none is taken for somebody else’s later', () => {
    const written = withOurLines(
      '',
      { ...call, note: 'One\r\n\r\nTwo', disposition: 'Sold', tags: ['a', 'b'] },
      fields,
    );
    expect(written).toBe('» Ringline an-id\n» Rang 5 s.\n» Result: Sold\n» Tags: a, b\n» Note:\n» One\n» \n» Two\n');
    expect(withOurLines(written.replace('» \n', '»\n'), call, fields)).toBe('» Ringline an-id\n» Rang 5 s.\n');
  });

  it('has no id and no link where there are fields for them', () => {
    const rich = { ...call, recordingUrl: 'https://r/1.wav' };
    expect(withOurLines('', rich, { idField: 'cId', recordingUrlField: 'cUrl' })).toBe('» Ringline\n» Rang 5 s.\n');
  });

  it('takes a link once, after our lines', () => {
    const once = withRecordingLink('» Ringline\nMine', 'https://r/1.wav');
    expect(once).toBe('» Ringline\n» Recording: https://r/1.wav\nMine');
    expect(withRecordingLink(once, 'https://r/1.wav')).toBe(once);
    expect(withRecordingLink('', 'https://r/1.wav')).toBe('» Recording: https://r/1.wav\n');
  });
});
