/**
 * What `Retry-After` asks for, in seconds from `now` (ms): either seconds or an HTTP date.
 * `undefined` when it is neither; a date that has passed is 0.
 */
export function retryAfterSeconds(value: string, now: number): number | undefined {
  const text = value.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text);
  // Every form of an HTTP date begins with the name of a day; Date.parse alone takes far too much.
  if (!/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / 1000));
}
