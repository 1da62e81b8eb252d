import { z } from 'zod';

/** Lines in one request at most. */
export const MOST_LINES = 1_000;

export const celLinesSchema = z
  .strictObject({
    lines: z.array(z.string().max(20_000)).min(1).max(MOST_LINES).meta({
      description:
        'Lines of Asterisk’s channel event log as they stand in the file, without their ends. A line is known by its content: sending it again does no harm.',
    }),
  })
  .meta({ id: 'CelLines' });
export type CelLines = z.output<typeof celLinesSchema>;

export const celAnswerSchema = z
  .strictObject({
    taken: z.int().min(0).meta({ description: 'Lines about calls; what they tell is stored.' }),
    ignored: z.int().min(0).meta({ description: 'Lines that tell nothing of a call that Ringline records.' }),
    unreadable: z.int().min(0).meta({ description: 'Lines that are no record of the log.' }),
  })
  .meta({ id: 'CelAnswer' });
export type CelAnswer = z.output<typeof celAnswerSchema>;
