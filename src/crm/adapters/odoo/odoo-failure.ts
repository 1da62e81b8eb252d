import { z } from 'zod';
import type { CrmAnswer } from '../../port/crm-client.js';
import { excerptOf, failureOf, type Failure } from '../../port/verdict.js';

/** What Odoo says went wrong, by the Python exception's full name. */
export type OdooError = { readonly failure: Failure; readonly exception: string | null };

/** JSON-RPC: with status 200. */
const rpcErrorShape = z.object({
  error: z.looseObject({
    message: z.string().nullish(),
    data: z.looseObject({ name: z.string().nullish(), message: z.string().nullish() }).nullish(),
  }),
});
/** JSON-2: with a status of its own. */
const json2ErrorShape = z.looseObject({ name: z.string(), message: z.string().nullish() });

/** Null: it is no error. */
export function errorOf(answer: CrmAnswer): OdooError | null {
  const failure = failureOf(answer);
  if (answer.kind !== 'answered') return failure === null ? null : { failure, exception: null };
  if (failure === null) {
    const read = rpcErrorShape.safeParse(answer.json);
    if (read.success) return fromException(read.data.error.data?.name, read.data.error.data?.message ?? '');
    const isError = typeof answer.json === 'object' && answer.json !== null && 'error' in answer.json;
    return isError ? fromException(null, 'an error that it does not name') : null;
  }
  const { status } = answer;
  const read = json2ErrorShape.safeParse(answer.json);
  if (read.success && status !== 429 && status !== 401) {
    const known = fromException(read.data.name, read.data.message ?? '', status);
    if (known.failure.verdict !== 'retry') return known;
    return { failure: { ...known.failure, ...(status < 500 && failure) }, exception: known.exception };
  }
  // There is no such address: it is not Odoo’s, or its version is another.
  if (status === 404)
    return { failure: { verdict: 'rejected', why: `Odoo’s API is not there. ${failure.why}` }, exception: null };
  return { failure, exception: null };
}

const refusals = new Set([
  'odoo.exceptions.UserError',
  'odoo.exceptions.ValidationError',
  'odoo.exceptions.RedirectWarning',
  'odoo.exceptions.Warning',
  'odoo.exceptions.except_orm',
  'builtins.ValueError',
  'builtins.TypeError',
  'builtins.KeyError',
  'builtins.AttributeError',
  'werkzeug.exceptions.NotFound',
  'werkzeug.exceptions.BadRequest',
  'werkzeug.exceptions.UnprocessableEntity',
]);

/** Whatever the exception, Odoo has undone what the request did. */
function fromException(name: string | null | undefined, message: string, status?: number): OdooError {
  const exception = name ?? null;
  const text = excerptOf(message);
  const why = `Odoo says${status === undefined ? '' : ` (${status})`}: ${text === '' ? (exception ?? 'nothing') : text}`;
  const of = (verdict: 'retry' | 'rejected' | 'credentials-refused' | 'gone', words = why): OdooError => ({
    failure: { verdict, why: words },
    exception,
  });
  if (exception === 'odoo.exceptions.AccessDenied') return of('credentials-refused');
  if (/database .*does not exist/i.test(message)) return of('credentials-refused');
  if (exception === 'odoo.exceptions.AccessError') return of('rejected', `The user lacks a right. ${why}`);
  if (exception === 'odoo.exceptions.MissingError') return of('gone');
  if (
    exception !== null &&
    (refusals.has(exception) || /^psycopg2\.(errors\.\w*Violation|IntegrityError|DataError)$/.test(exception))
  ) {
    return of('rejected');
  }
  // Two wrote at one time, a pool is used up, a worker was stopped.
  return of('retry');
}

/** That a model is not there, which each version says in other words, in the language of the user. */
export function isUnknownModel({ failure, exception }: OdooError): boolean {
  return (
    (failure.verdict === 'rejected' || failure.verdict === 'gone') &&
    ['odoo.exceptions.UserError', 'builtins.KeyError', 'werkzeug.exceptions.NotFound'].includes(exception ?? '')
  );
}
