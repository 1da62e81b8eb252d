/** Replaces every `@NAME@`; a name without a value is an error. */
export function fillPlaceholders(text: string, values: Readonly<Record<string, string>>, where: string): string {
  return text.replace(/@([A-Z][A-Z0-9_]*)@/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${where} asks for @${name}@, which nobody gives`);
    return value;
  });
}
