import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wavHeader } from '../../lab/wav-header.js';
import { WAV_HEADER_BYTES, checkWav } from './wav.js';

/** A file as Asterisk writes it. */
function wav(soundBytes: number): Buffer {
  return Buffer.concat([wavHeader(soundBytes), Buffer.alloc(soundBytes, 1)]);
}

const check = (file: Buffer) => checkWav(file.subarray(0, WAV_HEADER_BYTES), file.length);

describe('a recorded file', () => {
  it('that is whole tells how long it lasts', () => {
    expect(check(wav(64_640))).toEqual({ ok: true, durationMs: 4_040 });
  });

  it('may have other chunks before its sound', () => {
    const plain = wav(16_000);
    const chunk = Buffer.from('LIST\x03\0\0\0abc\0', 'latin1');
    const file = Buffer.concat([plain.subarray(0, 36), chunk, plain.subarray(36)]);
    file.writeUInt32LE(file.length - 8, 4);
    expect(check(file)).toEqual({ ok: true, durationMs: 1_000 });
  });

  it.each<[string, Buffer, string]>([
    ['nothing', Buffer.alloc(0), 'empty'],
    ['text', Buffer.from('<html>'.repeat(20)), 'no RIFF/WAVE'],
    ['a header alone', wav(0), 'no sound'],
    ['one cut off', wav(64_000).subarray(0, 32_000), 'incomplete'],
    ['one cut off in its header', wav(64_000).subarray(0, 20), 'incomplete'],
    ['one with something behind it', Buffer.concat([wav(64_000), Buffer.from('x')]), 'incomplete'],
  ])('is refused: %s', (_, file, fault) => {
    expect(check(file)).toMatchObject({ ok: false, fault: expect.stringContaining(fault) as string });
  });

  it('whose writer died has a header that does not fit', () => {
    const file = wav(64_000);
    file.writeUInt32LE(0, 40);
    file.writeUInt32LE(36, 4);
    expect(check(file).ok).toBe(false);
  });

  it('of any bytes is judged without an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const file = Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVE', 'latin1'), bytes]);
        file.writeUInt32LE(file.length - 8, 4);
        expect(typeof checkWav(file, file.length).ok).toBe('boolean');
      }),
    );
  });
});
