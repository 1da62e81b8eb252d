import { z } from 'zod';

const id = z.string().min(1);
const mayBeDone = z.boolean().optional();
const failure = z.discriminatedUnion('verdict', [
  z.strictObject({ verdict: z.enum(['retry', 'rejected', 'credentials-refused', 'gone']), why: id, mayBeDone }),
  z.strictObject({ verdict: z.literal('rate-limited'), why: id, afterMs: z.number().min(0).optional(), mayBeDone }),
]);
const contact = z.object({
  type: id,
  id,
  kind: z.enum(['contact', 'lead', 'company']),
  name: z.string(),
  company: z.string().nullable(),
  ownerId: id.nullable(),
  numbers: z.array(z.string()),
  url: z.string().nullable(),
});
const user = z.object({
  id,
  name: z.string(),
  email: z.string().nullable(),
  extension: z.string().nullable(),
  isActive: z.boolean(),
});

/** What each step gives when it is done; the others give nothing. */
const values: Readonly<Record<string, z.ZodType>> = {
  test: z.string(),
  findContacts: z.array(contact),
  listContacts: z.object({ contacts: z.array(contact), cursor: z.string(), isLast: z.boolean() }),
  listUsers: z.array(user),
  findCall: id.nullable(),
  openCall: id,
  closeCall: id,
  createObject: z.object({ type: id, id }),
  createTask: id,
};

/** What is wrong with a verdict, whatever the CRM answered. */
export function problemOf(step: string, verdict: unknown): string | null {
  const done = z.object({ verdict: z.literal('done'), value: values[step] ?? z.unknown() });
  const read = z.union([done, failure]).safeParse(verdict);
  return read.success ? null : `${JSON.stringify(verdict)} is no verdict of this step`;
}
