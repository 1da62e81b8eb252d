import type { CrmBody, CrmRequest, FormPart } from '../../port/crm-client.js';
import type { RequestTemplate } from './request-shape.js';
import { render, renderAddress, renderText, type Given } from './template.js';
import type { Value } from './values.js';

/** What the recording is filled in from, where a request uploads it. */
export type Upload = { readonly fileName: string; readonly contentType: string; readonly bytes: Uint8Array };

/** Below this name the fields of an object are put into the one around it. */
const SPREAD = '...';

/** @returns null when a value would lead to another address than the template's */
export function fillRequest(template: RequestTemplate, given: Given, upload: Upload | null): CrmRequest | null {
  const { method, path: address, query, headers, cost, lane } = template;
  const path = renderAddress(address, given);
  if (path === null) return null;
  const body = bodyOf(template, given, upload);
  return {
    method,
    path,
    ...(query !== undefined && { query: queryOf(query, given) }),
    ...(headers !== undefined && { headers }),
    ...(body !== undefined && { body }),
    ...(cost !== undefined && { cost }),
    ...(lane !== undefined && { lane }),
  };
}

/** Whether a request is to be made at all. */
export function isWanted({ when }: RequestTemplate, given: Given): boolean {
  if (when === undefined) return true;
  const text = renderText(when.value, given) ?? '';
  return when.in === undefined ? text !== '' : when.in.includes(text);
}

/** What there is not is left out. */
function queryOf(
  query: NonNullable<RequestTemplate['query']>,
  given: Given,
): Record<string, string | readonly string[]> {
  const filledIn: [string, string | readonly string[]][] = [];
  for (const [name, template] of Object.entries(query)) {
    const value =
      typeof template === 'string'
        ? renderText(template, given)
        : template.flatMap((one) => renderText(one, given) ?? []);
    if (value !== null) filledIn.push([name, value]);
  }
  return Object.fromEntries(filledIn);
}

function bodyOf({ json, form, multipart }: RequestTemplate, given: Given, upload: Upload | null): CrmBody | undefined {
  if (json !== undefined) return { json: filled(json, given) };
  if (form !== undefined) return { form: queryOf(form, given) as Record<string, string> };
  if (multipart === undefined) return undefined;
  return {
    multipart: multipart.flatMap(({ name, value, isRecording }): FormPart[] => {
      if (isRecording) {
        if (upload === null) return [];
        return [{ name, value: upload.bytes, fileName: upload.fileName, contentType: upload.contentType }];
      }
      const text = value === undefined ? null : renderText(value, given);
      return text === null ? [] : [{ name, value: text }];
    }),
  };
}

/** A field whose template gives nothing is left out; `null` in the template itself stays. */
function filled(json: unknown, given: Given): unknown {
  if (typeof json === 'string') return plain(render(json, given));
  if (Array.isArray(json)) return json.map((one) => filled(one, given)).filter((one) => one !== null);
  if (typeof json !== 'object' || json === null) return json;
  const fields = Object.entries(json).flatMap(([name, one]): [string, unknown][] => {
    const value = filled(one, given);
    if (name === SPREAD) return typeof value === 'object' && value !== null ? Object.entries(value) : [];
    return value === null && one !== null ? [] : [[name, value]];
  });
  return Object.fromEntries(fields);
}

function plain(value: Value): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '') : value;
}
