import { randomUUID } from 'node:crypto';
import type { CrmBody, FormPart } from '../port/crm-client.js';

export function encodeBody(body: CrmBody): { readonly contentType: string; readonly bytes: string | Uint8Array } {
  if ('json' in body) return { contentType: 'application/json', bytes: JSON.stringify(body.json) };
  if ('form' in body) {
    return { contentType: 'application/x-www-form-urlencoded', bytes: new URLSearchParams(body.form).toString() };
  }
  const boundary = `ringline-${randomUUID()}`;
  const bytes = Buffer.concat([
    ...body.multipart.flatMap((part) => [
      Buffer.from(head(part, boundary)),
      Buffer.from(part.value),
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${boundary}--\r\n`),
  ]);
  return { contentType: `multipart/form-data; boundary=${boundary}`, bytes };
}

function head({ name, fileName, contentType }: FormPart, boundary: string): string {
  const file = fileName === undefined ? '' : `; filename="${quoted(fileName)}"`;
  const type = contentType === undefined ? '' : `\r\ncontent-type: ${contentType.replace(/[\r\n]/g, '')}`;
  return `--${boundary}\r\ncontent-disposition: form-data; name="${quoted(name)}"${file}${type}\r\n\r\n`;
}

/** As browsers do (HTML, "multipart/form-data encoding algorithm"). */
function quoted(text: string): string {
  return text.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}
