import type { NextFunction, Request, Response } from 'express';
import { Problem } from '../common/problems.js';

/** No body of the API nests deeper; without a bound, thousands of brackets would overflow the stack of whoever walks it. */
const DEEPEST = 32;
/** NUL and lone surrogates are legal in JSON, and no database stores them. */
const unstorable = /\0|\p{Cs}/u;
/** No field has these names. The framework would take them away in silence, and a misspelt request has to be told. */
const unsafeNames = new Set(['__proto__', 'constructor', 'prototype']);

/** Refuses what no schema would see or no database would store, so that no route has to think of it. */
export function storableOnly(request: Request, _response: Response, next: NextFunction): void {
  check(request.query);
  check(request.body);
  next();
}

function check(root: unknown): void {
  const waiting: { readonly value: unknown; readonly path: readonly string[] }[] = [{ value: root, path: [] }];
  for (let entry = waiting.pop(); entry; entry = waiting.pop()) {
    const { value, path } = entry;
    if (typeof value === 'string') assertStorable(value, path);
    if (typeof value !== 'object' || value === null) continue;
    if (path.length >= DEEPEST) {
      throw new Problem('invalid-request', { detail: `The body nests deeper than ${DEEPEST} levels.` });
    }
    for (const [key, inner] of Object.entries(value)) {
      assertStorable(key, path);
      if (unsafeNames.has(key)) {
        const field = [...path, key].join('.');
        throw new Problem('invalid-request', { detail: `\`${field}\` is not a known field.`, field });
      }
      waiting.push({ value: inner, path: [...path, key] });
    }
  }
}

function assertStorable(text: string, path: readonly string[]): void {
  if (!unstorable.test(text)) return;
  const field = path.join('.');
  throw new Problem('invalid-request', {
    detail: `${field === '' ? 'A name' : `\`${field}\``} holds a character that is no text.`,
    ...(field !== '' && { field }),
  });
}
