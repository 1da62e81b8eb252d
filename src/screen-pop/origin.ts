import { Problem } from '../common/problems.js';

/**
 * Refuses a page that may not use a token. Browsers leave out `Origin` when a page reads from where it came from, so a
 * missing header stands for Ringline's own origin (https://fetch.spec.whatwg.org/#origin-header). Programs can send
 * what they like: it is the token that keeps them out.
 * @throws {Problem} `origin-mismatch`
 */
export function assertOrigin(
  header: string | undefined,
  bound: string | null,
  own: { readonly publicUrl: string; readonly corsOrigins: readonly string[] },
): void {
  const ownOrigin = new URL(own.publicUrl).origin;
  const origin = header ?? ownOrigin;
  const allowed = bound === null ? [ownOrigin, ...own.corsOrigins] : [bound];
  if (allowed.includes(origin)) return;
  throw new Problem('origin-mismatch', {
    detail:
      bound === null
        ? 'This token was issued without an origin: it serves pages of CORS_ORIGINS and of Ringline itself.'
        : `This token serves pages of ${bound} only.`,
    field: 'Origin',
  });
}
