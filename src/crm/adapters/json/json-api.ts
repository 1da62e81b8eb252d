import type { CrmAnswer, CrmClient } from '../../port/crm-client.js';
import { done, excerptOf, failureOf, type Failure, type Verdict } from '../../port/verdict.js';
import type { Description, ErrorRule } from './description-shape.js';
import { fillRequest, isWanted, type Upload } from './fill-request.js';
import type { RequestTemplate } from './request-shape.js';
import type { Given } from './template.js';
import { textOf, valueAt, type Value } from './values.js';

/** What a request brought. `exists`: what it would make is there already. */
export type Brought = { readonly answer: Value; readonly exists: boolean };
type Scope = { readonly [name: string]: Value };

/** A described CRM, asked. */
export class JsonApi {
  constructor(
    private readonly client: CrmClient,
    private readonly site: string,
    readonly description: Description,
  ) {}

  given(scope: Scope): Given {
    return { scope: { connection: { url: this.site }, ...scope }, maps: this.description.maps };
  }

  /** One request. */
  async ask(template: RequestTemplate, scope: Scope, upload: Upload | null = null): Promise<Verdict<Brought>> {
    const request = fillRequest(template, this.given(scope), upload);
    if (request === null) return { verdict: 'rejected', why: `A value does not fit into the path ${template.path}.` };
    return read(await this.client.request(request), this.description);
  }

  /** Those that are wanted, one after the other. Gives what the first brought, or null when none was wanted. */
  async askAll(
    templates: readonly RequestTemplate[],
    scope: Scope,
    upload: Upload | null = null,
  ): Promise<Verdict<Brought | null>> {
    let first: Brought | null = null;
    for (const template of templates.filter((one) => isWanted(one, this.given(scope)))) {
      const brought = await this.ask(template, scope, upload);
      if (brought.verdict !== 'done') return brought;
      first ??= brought.value;
    }
    return done(first);
  }

  async change(templates: readonly RequestTemplate[], scope: Scope, upload: Upload | null = null): Promise<Verdict> {
    const brought = await this.askAll(templates, scope, upload);
    return brought.verdict === 'done' ? done() : brought;
  }
}

function read(answer: CrmAnswer, { errors, why }: Description): Verdict<Brought> {
  const failure = failureOf(answer);
  // A page of HTML is none of its answers, whatever its status.
  if (answer.kind !== 'answered' || (answer.text !== '' && answer.json === undefined && failure?.verdict === 'retry')) {
    return failure ?? unlike('the answer');
  }
  const rule = errors.find((one) => fits(one, answer));
  const json = (answer.json ?? null) as Value;
  if (rule === undefined && failure === null) return done({ answer: json, exists: false });
  if (rule?.verdict === 'exists') return done({ answer: json, exists: true });
  return judged(rule, failure, wordsOf(answer, why), answer);
}

function judged(
  rule: ErrorRule | undefined,
  failure: Failure | null,
  words: string | null,
  answer: Extract<CrmAnswer, { kind: 'answered' }>,
): Failure {
  const why = words ?? failure?.why ?? `It answered ${answer.status}: ${excerptOf(answer.text)}`;
  const verdict = rule?.verdict ?? failure?.verdict ?? 'rejected';
  switch (verdict) {
    case 'rate-limited':
      return { verdict, why, ...(answer.retryAfterMs !== undefined && { afterMs: answer.retryAfterMs }) };
    case 'retry':
      return {
        verdict,
        why,
        ...(rule === undefined && failure?.verdict === 'retry' && failure.mayBeDone && { mayBeDone: true }),
      };
    case 'token-expired':
      return { verdict: 'credentials-refused', why };
    case 'exists':
      return { verdict: 'rejected', why };
    default:
      return { verdict, why };
  }
}

function wordsOf({ status, json }: Extract<CrmAnswer, { kind: 'answered' }>, why: Description['why']): string | null {
  const words = why === null ? '' : textOf(valueAt(json, why));
  return words === '' ? null : `It answered ${status}: ${excerptOf(words)}`;
}

export function fits({ status, at, includes }: ErrorRule, answer: CrmAnswer): boolean {
  if (answer.kind !== 'answered') return false;
  if (status !== undefined && ![status].flat().includes(answer.status)) return false;
  if (at === undefined) return true;
  const value = valueAt(answer.json, at);
  if (includes === undefined) return value !== null && value !== false;
  return textOf(value).toLowerCase().includes(includes.toLowerCase());
}

/** The CRM said yes, and not what the description expects. */
export function unlike(where: string): Failure {
  return { verdict: 'retry', why: `The CRM’s answer is not what its description says: ${where}.`, mayBeDone: true };
}
