/** Every field of a document, as a path; members of lists count as one. What a field holds may differ from run to run. */
export function fieldsOf(value: unknown, path = ''): readonly string[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Array.isArray(value)
    ? value.flatMap((member) => fieldsOf(member, `${path}[]`))
    : Object.entries(value).flatMap(([key, member]) => fieldsOf(member, `${path}.${key}`));
  return [...new Set(inner)].toSorted();
}
