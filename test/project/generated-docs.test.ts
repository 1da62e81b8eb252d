import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { problems } from '../../src/common/problems.js';
import { settingsSchema } from '../../src/config/config.js';
import { clickWithout, outcomeRows, sipAnswers, type OutcomeRow } from '../lab/outcome-table.js';

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

  it('tell every outcome; `npm run docs` writes docs/outcomes.md', async () => {
    const answers = sipAnswers.map(({ status, phrase, customer, agent }) => [
      `${status} ${phrase}`,
      verdict(customer.outcome, customer.reason),
      verdict(clickWithout(agent), agent),
      verdict('missed', agent),
    ]);
    const text = [
      '# How a call comes out',
      'Each row below is a test on a real Asterisk with real SIP phones (`test/lab/outcomes.test.ts`): the record, its events in this order, and its times against what the phones and Asterisk’s own log saw. `outcome` says how a call came out, `outcomeReason` why, `hangup.by` who ended it.',
      '## Incoming calls',
      'A caller who was not answered and is still there goes back to the dial plan’s fall-back. The record stays `missed`, whatever the fall-back does, and ends when the caller’s call ends. One who is blocked (`/v1/blocked-numbers`) is refused with Q.850 cause 21, over SIP 403: no phone rings, no pop is shown, and the fall-back does not get him. While more callers come than Asterisk or Ringline can serve, new ones take the fall-back at once (`missed`, `overloaded`).',
      outcomeTable('incoming'),
      '## Click-to-call',
      'The agent’s phone rings first. `ringing` is the other party’s phone; early media counts as ringing.',
      outcomeTable('click-to-call'),
      '## Click-to-call, customer first',
      'The customer’s phone rings first (`order: "customer-first"`), and the agent’s once he has answered; he hears ringing meanwhile. `ringing` is the customer’s phone, `answered` the moment in which both are joined. `abandoned`: the customer answered, and no agent talked with him; what the agent’s phone said is in `hangup.sip` and in his leg. `remote-hung-up`: the customer did not wait for the agent.',
      outcomeTable('customer-first'),
      '## What a phone’s final answer means',
      'By the SIP status that the phone or the carrier sent after it rang. Where Asterisk tells none, the Q.850 cause is read in the same sense. A status that is not listed counts as 500 from 500 on, as 403 below. 408 without a ring means that nobody is there: `trunk-unreachable`, or `device-unreachable` for an agent’s phone. Of several phones, the one that got furthest gives the reason.',
      table(
        ['answer', 'customer of a click-to-call', 'agent of a click-to-call', 'agent of an incoming call'],
        answers,
      ),
    ];
    await expect(await markdown(text)).toMatchFileSnapshot('../../docs/outcomes.md');
  });
});

function outcomeTable(direction: OutcomeRow['direction']): string {
  const rows = outcomeRows
    .filter((row) => row.direction === direction)
    .map(({ name, expected }) => {
      if (expected === null) return [name, 'no record; the fall-back takes the caller', '', ''];
      if ('refused' in expected) return [name, `no record; ${expected.refused} \`${expected.problem}\``, '', ''];
      const { outcome, reason, by, events } = expected;
      return [name, verdict(outcome, reason), `\`${by}\``, events.map((type) => type.replace('call.', '')).join(', ')];
    });
  return table(['what happens', 'outcome, reason', 'ended by', 'events (`call.`)'], rows);
}

function verdict(outcome: string, reason: string): string {
  return `\`${outcome}\`, \`${reason}\``;
}

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
