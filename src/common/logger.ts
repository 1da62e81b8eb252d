import type { LoggerService } from '@nestjs/common';
import { pino, type Logger as PinoLogger } from 'pino';

/** The process log; an abstract class so that it is a provider token. */
export abstract class Log {
  abstract readonly info: PinoLogger['info'];
  abstract readonly warn: PinoLogger['warn'];
  abstract readonly error: PinoLogger['error'];
  abstract readonly debug: PinoLogger['debug'];
  abstract readonly trace: PinoLogger['trace'];
  abstract readonly fatal: PinoLogger['fatal'];
}

/** Runs of digits as long as a phone number, with what people put between digits. */
const numberLike = /\+?\d(?:[\s().-]{0,3}\d){5,}/g;
/** Ids, and IPv4 addresses with their ports, which an operator needs whole to find a fault. */
const kept =
  /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?::\d{1,5})?(?![\d.])/gi;

/**
 * Leaves the last three digits of every phone number in a text: `+14155550123` becomes `***123`. Ids and addresses
 * stay whole.
 */
export function maskNumbers(text: string): string {
  let masked = '';
  let from = 0;
  for (const id of text.matchAll(kept)) {
    masked += maskRuns(text.slice(from, id.index)) + id[0];
    from = id.index + id[0].length;
  }
  return masked + maskRuns(text.slice(from));
}

function maskRuns(text: string): string {
  return text.replace(numberLike, (run) => `***${run.replace(/\D/g, '').slice(-3)}`);
}

/**
 * The process log: one JSON object a line on stdout. Text given by callers is a JSON string, so it cannot break a line.
 * Fields that carry numbers, keys or tokens are masked or removed here, whoever logs them.
 */
export function createLog(level: string, destination?: { write(line: string): void }): Log {
  return pino(
    {
      level,
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: ['password', 'secret', 'token', 'authorization', '*.password', '*.secret', '*.token', '*.authorization'],
        censor: '***',
      },
      hooks: {
        logMethod(args, method) {
          for (let i = 0; i < args.length; i++)
            if (typeof args[i] === 'string') args[i] = maskNumbers(args[i] as string);
          method.apply(this, args);
        },
      },
      serializers: {
        number: (value: unknown) => maskNumbers(String(value)),
        from: (value: unknown) => maskNumbers(String(value)),
        to: (value: unknown) => maskNumbers(String(value)),
        did: (value: unknown) => maskNumbers(String(value)),
        error: (error: unknown) => describeError(error),
      },
    },
    destination ?? pino.destination({ fd: 1, sync: false }),
  );
}

/** What a log keeps of an error: its kind, its text with numbers masked, its stack. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: maskNumbers(String(error)) };
  const { code } = error as { code?: unknown };
  return {
    name: error.name,
    message: maskNumbers(error.message),
    ...(typeof code === 'string' && { code }),
    ...(error.stack && { stack: maskNumbers(error.stack) }),
  };
}

/** Nest's own messages, through the process log. */
export function nestLogger(log: Log): LoggerService {
  const at =
    (level: 'info' | 'error' | 'warn' | 'debug' | 'trace' | 'fatal') =>
    (message: unknown, ...rest: unknown[]): void => {
      const scope = rest.at(-1);
      log[level](
        typeof scope === 'string' ? { scope } : {},
        typeof message === 'string' ? message : JSON.stringify(message),
      );
    };
  return {
    // The framework tells every route it maps: of interest to who writes one, not to who runs it.
    log: at('debug'),
    error: at('error'),
    warn: at('warn'),
    debug: at('debug'),
    verbose: at('trace'),
    fatal: at('fatal'),
  };
}
