import { describe, expect, it } from 'vitest';
import { Gate } from './gate.js';

describe('a gate', () => {
  it('lets in as many as it is wide, in the order in which they came, and all in the end', async () => {
    const gate = new Gate(3);
    const begun: number[] = [];
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        gate.run(async () => {
          begun.push(i);
          most = Math.max(most, ++inside);
          await new Promise((resolve) => setImmediate(resolve));
          inside -= 1;
        }),
      ),
    );
    expect(most).toBe(3);
    expect(begun).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  it('is not narrower after what failed', async () => {
    const gate = new Gate(1);
    await expect(gate.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    const both = [gate.run(() => Promise.reject(new Error('no'))), gate.run(() => Promise.resolve('yes'))];
    expect((await Promise.allSettled(both)).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  });
});
