import { z } from 'zod';
import { invalidRequest } from './invalid-request.js';

/** What a PATCH may send: any of the fields, objects in part, lists and everything else as a whole. */
export type Patch<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? string extends keyof T
      ? T
      : { readonly [Key in keyof T]?: Patch<T[Key]> }
    : T;

/**
 * The body of a PATCH for what `schema` creates. Defaults are taken away: a field that is not sent is not changed.
 * @param id names it in the OpenAPI document
 */
export function patchSchema<Schema extends z.ZodObject>(
  id: string,
  schema: Schema,
): z.ZodType<Patch<z.output<Schema>>> {
  return partOf(schema).meta({ id }) as unknown as z.ZodType<Patch<z.output<Schema>>>;
}

function partOf(schema: z.ZodObject): z.ZodObject {
  const fields = Object.entries(schema.shape).map(([name, field]) => [name, withoutDefault(field).optional()]);
  return z.strictObject(Object.fromEntries(fields) as Record<string, z.ZodType>);
}

function withoutDefault(field: z.core.$ZodType): z.ZodType {
  // Whoever reads the document wants the description, which stands on the outermost schema.
  const { id: _, ...meta } = z.globalRegistry.get(field) ?? {};
  return bare(field).meta(meta);
}

function bare(field: z.core.$ZodType): z.ZodType {
  if (field instanceof z.ZodDefault || field instanceof z.ZodPrefault || field instanceof z.ZodOptional) {
    return withoutDefault(field.unwrap());
  }
  if (field instanceof z.ZodNullable) return withoutDefault(field.unwrap()).nullable();
  if (field instanceof z.ZodObject) return partOf(field);
  return field as z.ZodType;
}

/**
 * What is stored, changed by a patch, checked as a whole by the schema that creates it.
 * @throws {Problem} `invalid-request` when the two do not fit together
 */
export function applyPatch<Schema extends z.ZodObject>(
  schema: Schema,
  current: z.output<Schema>,
  patch: Patch<z.output<Schema>>,
): z.output<Schema> {
  const result = schema.safeParse(merge(schema, current, patch));
  if (!result.success) throw invalidRequest(result.error.issues);
  return result.data;
}

function merge(schema: z.core.$ZodType, current: unknown, patch: unknown): unknown {
  const object = objectOf(schema);
  if (!object || !isObject(current) || !isObject(patch)) return patch;
  const merged: Record<string, unknown> = { ...current };
  for (const [name, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    const field = object.shape[name];
    merged[name] = field ? merge(field, current[name], value) : value;
  }
  return merged;
}

function objectOf(schema: z.core.$ZodType): z.ZodObject | undefined {
  if (schema instanceof z.ZodObject) return schema;
  if (
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable
  ) {
    return objectOf(schema.unwrap());
  }
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
