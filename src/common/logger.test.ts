import { describe, expect, it } from 'vitest';
import { createLog, maskNumbers } from './logger.js';

describe('log', () => {
  it('keeps the last three digits of numbers and whole ids', () => {
    expect(maskNumbers('call +1 (415) 555-0123 now')).toBe('call ***123 now');
    expect(maskNumbers('call 01936c7e-8b2a-7000-8000-123456789012 to 4155550123')).toBe(
      'call 01936c7e-8b2a-7000-8000-123456789012 to ***123',
    );
    expect(maskNumbers('connect ECONNREFUSED 127.0.0.1:5432')).toBe('connect ECONNREFUSED 127.0.0.1:5432');
    expect(maskNumbers('01.23.45.67.89 and 415.555.0123')).toBe('***789 and ***123');
  });

  it('writes one line whatever a caller puts into its name', () => {
    const lines: string[] = [];
    const log = createLog('info', { write: (line) => lines.push(line) });
    log.info({ from: '+14155550123', password: 'hunter2', name: 'a\nb\u2028c' }, 'ring 14155550123\nforged');
    expect(lines).toHaveLength(1);
    expect(lines[0]?.trimEnd()).not.toContain('\n');
    const entry = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    expect(entry).toMatchObject({ from: '***123', password: '***', msg: 'ring ***123\nforged' });
    expect(lines[0]).not.toContain('hunter2');
  });
});
