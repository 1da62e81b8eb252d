const lostCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  // PostgreSQL: too many connections, shutting down, crash, starting up, read-only, disk full, statement or lock timeout.
  '53300',
  '57P01',
  '57P02',
  '57P03',
  // The connection was ended because its transaction stood still, as ours does when the process is held up.
  '25P03',
  '25006',
  '53100',
  '57014',
  '55P03',
  // Serialisation failure and deadlock: the same work goes through when tried again.
  '40001',
  '40P01',
]);

/**
 * True when work failed because of the database or the way to it, not because of what was asked: the same again may go
 * through later.
 */
export function isDatabaseLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, driverError, errors } = error as { code?: unknown; driverError?: unknown; errors?: unknown };
  if (typeof code === 'string' && (lostCodes.has(code) || code.startsWith('08'))) return true;
  if (driverError !== undefined && driverError !== error && isDatabaseLost(driverError)) return true;
  if (Array.isArray(errors) && errors.some(isDatabaseLost)) return true;
  return /Connection terminated|Query read timeout|timeout exceeded when trying to connect|Client has encountered a connection error|Cannot use a pool after calling end|not connected|connection is not established/i.test(
    error.message,
  );
}
