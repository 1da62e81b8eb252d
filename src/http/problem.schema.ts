import { z } from 'zod';

/** An RFC 9457 document, as every refusal and failure is answered. */
export const problemSchema = z
  .strictObject({
    type: z.url().meta({ description: 'Ends in a stable name; see docs/problems.md.' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: 'What is wrong here, for a person.' }),
    remedy: z.string().meta({ description: 'What can be done about it.' }),
    field: z.string().optional().meta({ description: 'JSON path of the field at fault, or the name of a header.' }),
    retryAfterSeconds: z.number().optional().meta({ description: 'When to come back; also in `Retry-After`.' }),
    requestId: z.string().meta({ description: 'Under which the log has more; also in `X-Request-Id`.' }),
  })
  .meta({ id: 'Problem' });
