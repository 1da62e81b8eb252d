import { Problem } from '../common/problems.js';

/** @throws {Problem} `idempotency-key-required` unless it is 1 to 255 printable ASCII characters. */
export function readIdempotencyKey(header: string | undefined): string {
  if (header !== undefined && /^[\x20-\x7e]{1,255}$/.test(header)) return header;
  throw new Problem('idempotency-key-required', {
    detail:
      header === undefined
        ? 'The header Idempotency-Key is missing.'
        : 'The Idempotency-Key is not 1 to 255 printable ASCII characters.',
    field: 'Idempotency-Key',
  });
}
