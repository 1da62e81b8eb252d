/** A clock that says otherwise is none; no record could hold its time. 1970 is where a clock without battery begins. */
const EARLIEST = 0;
const LATEST = Date.parse('2200-01-01T00:00:00Z');

const pattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)([+-])(\d\d):?(\d\d)$/;

/**
 * Reads a time as ARI writes it, in the server's own zone: `2026-11-22T08:39:46.228+0000`.
 * @returns ms since the epoch, or null for anything else, and for times that cannot be.
 */
export function parseAriTime(text: unknown): number | null {
  if (typeof text !== 'string') return null;
  const [, local, sign, hours, minutes] = pattern.exec(text) ?? [];
  if (local === undefined) return null;
  const asUtc = Date.parse(`${local}Z`);
  if (Number.isNaN(asUtc)) return null;
  const offsetMs = (Number(hours) * 60 + Number(minutes)) * 60_000;
  const at = sign === '+' ? asUtc - offsetMs : asUtc + offsetMs;
  return at >= EARLIEST && at < LATEST ? at : null;
}

/** A moment, ms since the epoch, as ARI writes it. */
export function writeAriTime(at: number): string {
  return new Date(at).toISOString().replace('Z', '+0000');
}
