// Replaces what names people and places in a recorded stream: npm run scrub -- FILE [FILE ...] [--seed TEXT] > OUT
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';

import { readStream } from './replay/read-stream.js';
import { regionsOf, Scrubber } from './scrub/scrub.js';

const usage = `npm run scrub -- FILE [FILE ...] [--seed TEXT] > OUT
  FILE         a stream that RECORD_ARI recorded; files that follow each other are read as one
  --seed TEXT  what is replaced becomes the same in every file that is scrubbed with this seed; keep it secret.
               Default: another one each time`;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { seed: { type: 'string' } } });
if (positionals.length === 0) throw new Error(usage);

const { entries, unreadable } = await readStream(positionals);
const scrubber = new Scrubber(values.seed ?? randomBytes(32).toString('hex'), regionsOf(entries));
// Whoever reads may stop.
process.stdout.on('error', () => process.exit(1));
for (const entry of entries) process.stdout.write(`${JSON.stringify(scrubber.entry(entry))}\n`);
if (unreadable > 0) process.stderr.write(`${unreadable} lines were no entries of a stream and are left out\n`);
