const HIDDEN = '…';
/** Shorter ones are words as well; no vendor gives such a secret. */
const SHORTEST = 6;

/** The secrets among settings, as they may stand in a text: as they are, and as a part of a URL. */
export function secretsOf(settings: Readonly<Record<string, unknown>>, names: readonly string[]): readonly string[] {
  const texts = names.flatMap((name) => textsOf(settings[name])).filter((text) => text.length >= SHORTEST);
  const all = texts.flatMap((text) => [text, encodeURIComponent(text)]);
  // The longest first: one may be a part of another.
  return [...new Set(all)].toSorted((a, b) => b.length - a.length);
}

/** What a CRM says, without the secrets that it repeats: people and logs read it. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text);
}

function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}
