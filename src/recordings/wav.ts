/** Enough for the header of a file that Asterisk writes (44 bytes), and for one with a few more chunks. */
export const WAV_HEADER_BYTES = 4_096;

export type WavVerdict =
  | { readonly ok: true; readonly durationMs: number }
  /** In words: what is wrong with the file. */
  | { readonly ok: false; readonly fault: string };

/**
 * Whether a file is a complete RIFF/WAVE file of that size: one that was cut off, or whose writer died, has lengths in its
 * header that do not fit. (Microsoft, Multimedia Programming Interface and Data Specifications 1.0.)
 * @param head Its first bytes, up to `WAV_HEADER_BYTES`.
 * @param bytes Its size.
 */
export function checkWav(head: Buffer, bytes: number): WavVerdict {
  const fault = (text: string): WavVerdict => ({ ok: false, fault: text });
  if (bytes === 0) return fault('The file is empty.');
  if (head.length < 12 || head.toString('latin1', 0, 4) !== 'RIFF' || head.toString('latin1', 8, 12) !== 'WAVE')
    return fault('The file is no RIFF/WAVE file.');
  if (head.readUInt32LE(4) + 8 !== bytes) return fault('The file is incomplete: its header tells another length.');
  let byteRate = 0;
  for (let at = 12; at + 8 <= head.length;) {
    const kind = head.toString('latin1', at, at + 4);
    const length = head.readUInt32LE(at + 4);
    const content = at + 8;
    if (kind === 'fmt ' && content + 12 <= head.length) byteRate = head.readUInt32LE(content + 8);
    if (kind === 'data') {
      if (content + length > bytes) return fault('The file is incomplete: its sound is longer than the file.');
      if (length === 0) return fault('The file has no sound.');
      if (byteRate === 0) return fault('The file does not tell how fast it is played.');
      return { ok: true, durationMs: Math.round((length / byteRate) * 1000) };
    }
    // Chunks begin at even places.
    at = content + length + (length % 2);
  }
  return fault('The file has no sound.');
}
