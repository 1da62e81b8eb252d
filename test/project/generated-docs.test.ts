import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { problems } from '../../src/common/problems.js';
import { settingsSchema } from '../../src/config/config.js';

describe('generated docs', () => {
  it('tell every problem; `npm run docs` writes docs/problems.md', async () => {
    const rows = Object.entries(problems)
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([type, { status, title, remedy }]) => [`\`${type}\``, String(status), title, remedy]);
    const text = [
      '# Problems',
      'Every refusal and failure is an [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) document, `application/problem+json`. Its `type` ends in one of these names, which never change their meaning. `detail` says in a sentence what is wrong here, `field` names the field or header at fault (`devices.0.endpoint`), `requestId` finds the log lines. With status 429 and 503 comes `Retry-After`, in seconds.',
      table(['type', 'status', 'what it means', 'what to do'], rows),
    ];
    await expect(await markdown(text)).toMatchFileSnapshot('../../docs/problems.md');
  });

  it('tell every setting; `npm run docs` writes docs/settings.md', async () => {
    const rows = Object.entries(settingsSchema.shape).map(([name, schema]) => [
      `\`${name}\``,
      z.globalRegistry.get(schema)?.description ?? '',
      defaultOf(schema),
    ]);
    for (const [name, description] of rows) expect(description, name).not.toBe('');
    const text = [
      '# Settings',
      'Settings are environment variables, read once at start. Every wrong one is named before Ringline refuses to start. An empty variable counts as not set; lists are separated by commas.',
      table(['variable', 'meaning', 'default'], rows),
    ];
    await expect(await markdown(text)).toMatchFileSnapshot('../../docs/settings.md');
  });
});

function defaultOf(schema: z.core.$ZodType): string {
  const parsed = z.safeParse(schema, undefined);
  if (!parsed.success) return 'required';
  const value: unknown = parsed.data;
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return '';
  if (Array.isArray(value)) return `\`${value.join(',')}\``;
  if (typeof value === 'object' && value !== null) return `\`${Object.values(value).join(':')}\``;
  return `\`${JSON.stringify(value).replaceAll('"', '')}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.map(escaped).join(' | ')} |`).join('\n');
}

function escaped(cell: string): string {
  return cell.replaceAll('|', '\\|');
}

async function markdown(paragraphs: readonly string[]): Promise<string> {
  const note = '<!-- Generated from the source; `npm run docs` writes it. -->';
  const style = await resolveConfig('docs/x.md');
  return format([note, ...paragraphs].join('\n\n'), { ...style, parser: 'markdown' });
}
