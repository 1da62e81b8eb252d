const pattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)([+-])(\d\d):?(\d\d)$/;

/**
 * Reads a time as ARI writes it, in the server's own zone: `2026-11-22T08:39:46.228+0000`.
 * @returns ms since the epoch, or null for anything else.
 */
export function parseAriTime(text: unknown): number | null {
  if (typeof text !== 'string') return null;
  const [, local, sign, hours, minutes] = pattern.exec(text) ?? [];
  if (local === undefined) return null;
  const asUtc = Date.parse(`${local}Z`);
  if (Number.isNaN(asUtc)) return null;
  const offsetMs = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return sign === '+' ? asUtc - offsetMs : asUtc + offsetMs;
}
