import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allCalls } from '../../lab/all-calls.js';
import { foundCompany, type Company } from '../../lab/company.js';
import { startRingline, type LabRingline } from '../../lab/ringline.js';
import type { Phone } from '../../lab/sipp.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import { callSchema, type Call } from '../../src/calls/domain/call.js';
import { RawCaller, type RawCall } from '../support/raw-caller.js';

let lab: Lab;
let ringline: LabRingline;
let company: Company;
let phone: Phone;
let customer: Phone;
let calls: readonly (RawCall & { readonly text: string; readonly isBare: boolean })[];
let records: readonly Call[];

const NUMBER = '+4930555987';
const marker = (): string => join(lab.dir, 'touched');

/** What may stand where a caller's name or number stands. */
function hostileTexts(touch: string): string[] {
  return [
    `\${SHELL(touch ${touch})}`,
    `\${SYSTEM(touch ${touch})}`,
    `$(touch ${touch})`,
    `\`touch ${touch}\``,
    `; touch ${touch} ;`,
    `| touch ${touch}`,
    '${EXTEN}${CHANNEL}${CALLERID(all)}',
    '$[1+1]',
    '&PJSIP/agent2',
    '500&PJSIP/trunk/sip:14165551212',
    'PJSIP/agent2&Local/s@from-agents',
    ',30,g(from-agents)',
    '"><sip:evil@127.0.0.1>',
    'a" <sip:evil@127.0.0.1>;x="',
    '\\" \\\\ \\',
    "' or 1=1 --",
    "'; drop table call; --",
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '&lt;b&gt; &amp; &#60;',
    'javascript:alert(1)',
    '{"type":"call.ended"}',
    '\\u0000\\n\\r',
    '%00%0a%0d',
    '%0d%0aX-Evil: 1%0d%0a',
    '\t tab \t',
    '\u0001\u0007\u001b[31mred\u001b[0m',
    '\u007f\u0085\u009b',
    '\u202egnp.exe',
    '\u2066left\u2069 \u200fmark',
    '\u2028line\u2029paragraph',
    '\ufeffmark \u00ad hyphen',
    '\u{1f4de}\u{1f468}\u200d\u{1f469}\u200d\u{1f467}',
    'Z\u0351\u036b\u0343\u036aal\u0334go',
    '\u4e2d\u6587 \u0627\u0644\u0639\u0631\u0628\u064a\u0629',
    '\u0430dmin', // a Cyrillic a
    '__proto__',
    'constructor',
    'null',
    'undefined',
    '[object Object]',
    '0',
    '-1',
    '1e999',
    '+49 (30) 555-987',
    '+1 900 555 0199',
    '112',
    'anonymous',
    'x'.repeat(64),
    'x'.repeat(255),
    'x'.repeat(1_000),
    '\u{1f600}'.repeat(200),
    '9'.repeat(200),
    ' '.repeat(100),
    '{{7*7}}${7*7}<%= 7*7 %>',
    "=cmd|' /C calc'!A0",
    '../../etc/passwd',
    'file:///etc/passwd',
    'sip:evil@127.0.0.1?Replaces=x',
    '*72',
    '#9',
  ];
}

/** Each text as a quoted name, as a bare name, as the number, and as a name beside the number the trunk vouches for. */
function invites(texts: readonly string[]) {
  const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;
  const user = (text: string): string =>
    encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
  const plain = `<sip:${NUMBER}@127.0.0.1>`;
  return texts.flatMap((text) => [
    { text, isBare: false, from: `${quoted(text)} ${plain}` },
    { text, isBare: true, from: `${text.replaceAll(/[\r\n]/g, '')} ${plain}` },
    { text, isBare: false, from: `<sip:${user(text)}@127.0.0.1>` },
    {
      text,
      isBare: false,
      from: plain,
      headers: [`P-Asserted-Identity: ${quoted(text)} ${plain}`, `Subject: ${text.replaceAll(/[\r\n]/g, '')}`],
    },
  ]);
}

beforeAll(async () => {
  lab = await startLab();
  ringline = await startRingline(lab, { env: { LOG_LEVEL: 'debug' } });
  company = await foundCompany(lab, ringline, { agents: [1] });
  phone = await lab.sipp.phone({ register: ['agent1'], ringMs: 'forever', media: 'none' });
  customer = await lab.sipp.phone({ port: lab.ports.trunk, media: 'none' });
  const caller = await RawCaller.start(lab.asterisk.sipPort);
  const waiting = [...invites(hostileTexts(marker())).entries()];
  const done: (typeof calls)[number][] = [];
  const line = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [i, { text, isBare, ...invite }] = next;
      const call = await caller.call(
        { ...invite, callId: `hostile-${i}-end`, to: company.did },
        isBare ? 6_000 : 20_000,
      );
      done.push({ text, isBare, ...call });
    }
  };
  await Promise.all(Array.from({ length: 8 }, line));
  caller.stop();
  calls = done;
  records = await waitFor(
    async () => {
      const found = await allCalls(company);
      return found.every(({ status }) => status === 'ended') ? found : null;
    },
    { what: 'all records to end', timeoutMs: 60_000, everyMs: 500 },
  );
});
afterAll(async () => {
  await ringline?.stop();
  await lab?.stop();
});

/** Characters that end a line, turn the reading direction or speak to a terminal. */
const unclean = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]|\p{Cs}/u;

describe('callers who say hostile things', () => {
  it('are over two hundred calls, each either refused by the PBX or recorded exactly once', () => {
    expect(calls.length).toBeGreaterThan(200);
    // A name that stands bare may make the message no SIP at all: that is passed over in silence.
    const unanswered = calls.filter(({ final }) => final === null);
    expect(unanswered.filter(({ isBare, statuses }) => !isBare || statuses.length > 0)).toEqual([]);
    const rung = calls.filter(({ statuses }) => statuses.includes(180));
    // Most come through.
    expect(rung.length).toBeGreaterThan(170);
    const recorded = new Map<string, number>();
    for (const { sipCallIds } of records)
      for (const id of sipCallIds) if (id.startsWith('hostile-')) recorded.set(id, (recorded.get(id) ?? 0) + 1);
    expect([...recorded.values()].every((count) => count === 1)).toBe(true);
    expect(rung.filter(({ callId }) => !recorded.has(callId))).toEqual([]);
    expect(records.length).toBe(recorded.size);
  });

  it('ring the agent once each, and nobody else', async () => {
    const byLeg = await phone.calls();
    expect(byLeg.length).toBe(records.filter(({ ringingAt }) => ringingAt !== null).length);
    expect(await customer.calls()).toEqual([]);
    expect(new Set(byLeg.map(({ calledUser }) => calledUser))).toEqual(new Set(['agent1']));
    // Nothing of theirs became a header of its own.
    for (const { messages } of byLeg)
      for (const { headers } of messages) expect(headers.map(([name]) => name.toLowerCase())).not.toContain('x-evil');
  });

  it('make nobody run anything', () => {
    expect(existsSync(marker())).toBe(false);
  });

  it('are recorded as clean text of bounded length', () => {
    for (const record of records) {
      expect(callSchema.safeParse(record).error).toBeUndefined();
      for (const { raw, name } of [record.from, record.to, record.remote]) {
        expect(raw).not.toMatch(unclean);
        expect(name ?? '').not.toMatch(unclean);
        expect(raw.length).toBeLessThanOrEqual(64);
        expect((name ?? '').length).toBeLessThanOrEqual(128);
      }
      expect(record.to.e164).toBe(company.number);
    }
    const names = new Set(records.map(({ from }) => from.name));
    // Clean, not emptied: what is harmless as text is kept.
    expect(names).toContain('<script>alert(1)</script>');
    expect(names).toContain("'; drop table call; --");
  });

  it('break no line of the log, and leave no number in it', async () => {
    const lines = (await ringline.log()).split('\n').filter((line) => line !== '');
    expect(lines.length).toBeGreaterThan(10);
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
    const text = lines.join('\n');
    expect(text).not.toContain(NUMBER.slice(1));
    expect(text).not.toContain('30555987');
  });

  it('leave a service that takes the next call', async () => {
    const answering = await lab.sipp.caller({
      calls: [{ from: NUMBER, to: company.did }],
      giveUpMs: 5_000,
      media: 'none',
    });
    await answering.call(({ ringingAt }) => ringingAt !== undefined, 'the agent to ring');
    await answering.done;
    expect(await lab.asterisk.cli('core show version')).toContain('Asterisk');
  });
});
