import { z } from 'zod';

const text = z.string().max(4_000);
const condition = z
  .strictObject({
    value: text,
    in: z.array(z.string().max(200)).min(1).max(50).optional(),
  })
  .meta({ description: 'The request is made where the value is one of `in`; without `in`, where there is one.' });

const part = z.strictObject({
  name: z.string().min(1).max(200),
  value: text.optional(),
  isRecording: z.boolean().default(false).meta({ description: 'The bytes of the recording, instead of a value.' }),
});

/** Of what the way to the CRM sets itself, and of what would break a request, none may be set. */
const HEADER = /^(?!(?:authorization|host|content-length|transfer-encoding|connection|cookie)$)[a-z][a-z\d-]{0,60}$/;

/** A request as a template. */
export const requestShape = z.strictObject({
  when: condition.optional(),
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
  path: z
    .string()
    .max(1_000)
    .regex(/^\/(?!\/)[^?#\s\\]*$/, { error: 'must begin with one slash, and have no ?, # or space' })
    .refine((path) => !/(^|\/)\.{1,2}(\/|$)/.test(path), { error: 'must not have . or .. as a part' }),
  query: z.record(z.string().min(1).max(200), z.union([text, z.array(text).max(50)])).optional(),
  headers: z
    .record(
      z.string().max(100),
      z
        .string()
        .max(500)
        .regex(/^[\x20-\x7E]*$/, { error: 'must be printable ASCII' }),
    )
    .optional(),
  json: z.unknown().optional(),
  form: z.record(z.string().min(1).max(200), text).optional(),
  multipart: z.array(part).min(1).max(30).optional(),
  cost: z.int().min(0).max(1_000).optional(),
  lane: z.string().min(1).max(50).optional(),
});
export type RequestTemplate = z.output<typeof requestShape>;

const DEEPEST = 12;

/** Its templates with the places where they stand; what is wrong with its form besides. */
export function templatesIn(request: RequestTemplate): {
  readonly templates: readonly (readonly [place: readonly string[], template: string])[];
  readonly faults: readonly (readonly [place: readonly string[], fault: string])[];
} {
  const templates: (readonly [readonly string[], string])[] = [];
  const faults: (readonly [readonly string[], string])[] = [];
  const walk = (value: unknown, place: readonly string[]): void => {
    if (typeof value === 'string') templates.push([place, value]);
    if (typeof value !== 'object' || value === null) return;
    if (place.length > DEEPEST) {
      faults.push([place, `is nested deeper than ${DEEPEST}`]);
      return;
    }
    for (const [name, one] of Object.entries(value)) {
      if (name === '__proto__') faults.push([place, 'must not set __proto__']);
      else walk(one, [...place, name]);
    }
  };
  const { when, path, query, json, form, multipart, method, headers = {} } = request;
  for (const name of Object.keys(headers)) {
    if (!HEADER.test(name)) faults.push([['headers', name], 'is no header that may be set, in lower case']);
  }
  const bodies = [json, form, multipart].filter((body) => body !== undefined);
  if (bodies.length > 1) faults.push([[], 'has more than one body; json, form or multipart']);
  if (method === 'GET' && bodies.length > 0) faults.push([[], 'is a GET and has a body']);
  walk(path, ['path']);
  if (when !== undefined) walk(when.value, ['when', 'value']);
  walk(query, ['query']);
  walk(json, ['json']);
  walk(form, ['form']);
  multipart?.forEach(({ value }, at) => walk(value, ['multipart', String(at), 'value']));
  return { templates, faults };
}
