/** What a listener would find in a file of 16-bit mono sound. */
export type Sound = { readonly seconds: number; readonly sampleRate: number; readonly samples: Int16Array };

/** Reads a WAV file as a player does; throws when it is none. */
export function readWav(file: Buffer): Sound {
  if (file.toString('latin1', 0, 4) !== 'RIFF' || file.toString('latin1', 8, 12) !== 'WAVE') throw new Error('no WAV');
  if (file.readUInt32LE(4) !== file.length - 8) throw new Error('its header tells another length');
  if (file.toString('latin1', 36, 40) !== 'data') throw new Error('no sound where Asterisk puts it');
  const [format, channels, sampleRate, bits] = [
    file.readUInt16LE(20),
    file.readUInt16LE(22),
    file.readUInt32LE(24),
    file.readUInt16LE(34),
  ];
  if (format !== 1 || channels !== 1 || bits !== 16)
    throw new Error(`format ${format}, ${channels} channels, ${bits} bits`);
  const length = file.readUInt32LE(40);
  const samples = Int16Array.from({ length: length / 2 }, (_, i) => file.readInt16LE(44 + 2 * i));
  return { seconds: samples.length / sampleRate, sampleRate, samples };
}

/** Root mean square of a stretch of sound, of at most 32,767; silence has next to none. */
export function loudness({ samples, sampleRate }: Sound, fromSeconds = 0, toSeconds = Infinity): number {
  const part = samples.subarray(fromSeconds * sampleRate, toSeconds === Infinity ? undefined : toSeconds * sampleRate);
  return Math.sqrt(part.reduce((sum, sample) => sum + sample * sample, 0) / part.length);
}
