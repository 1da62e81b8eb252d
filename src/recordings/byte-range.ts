export type ByteRange =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly first: number; readonly last: number }
  | { readonly kind: 'unsatisfiable' };

const WHOLE: ByteRange = { kind: 'whole' };

/**
 * What a `Range` header asks for (RFC 9110, 14). What is malformed, of another unit or several ranges is passed over, as
 * the RFC allows: the whole is sent.
 * @param bytes Length of the whole, at least 1.
 */
export function parseRange(header: string | undefined, bytes: number): ByteRange {
  const [, from, to] = /^bytes=(\d{0,15})-(\d{0,15})$/i.exec(header?.replaceAll(' ', '') ?? '') ?? [];
  if (from === undefined || to === undefined || (from === '' && to === '')) return WHOLE;
  if (from === '') {
    const wanted = Number(to);
    return wanted === 0
      ? { kind: 'unsatisfiable' }
      : { kind: 'part', first: Math.max(0, bytes - wanted), last: bytes - 1 };
  }
  const first = Number(from);
  const last = to === '' ? bytes - 1 : Math.min(Number(to), bytes - 1);
  if (to !== '' && Number(to) < first) return WHOLE;
  return first >= bytes ? { kind: 'unsatisfiable' } : { kind: 'part', first, last };
}
