/** Password of an ARI user, for commands that need no other setting. Null where the variable is not set. */
export function givenAriPassword(env: Readonly<Record<string, string | undefined>> = process.env): string | null {
  return env['ARI_PASSWORD'] || null;
}
