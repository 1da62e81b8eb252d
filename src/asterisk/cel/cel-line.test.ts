import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { celColumns, parseCelLine } from './cel-line.js';

const values = {
  eventtype: 'HANGUP',
  eventtime: '1795590856.659309',
  uniqueid: '1795590854.0',
  linkedid: '1795590854.0',
  channame: 'PJSIP/trunk-00000000',
  name: 'Ann',
  num: '+4930111222',
  exten: '4930901820',
  context: 'from-trunk',
  appname: '',
  appdata: '',
  peer: '',
  eventextra: '{"hangupcause":16,"hangupsource":"PJSIP/trunk-00000000","dialstatus":""}',
};

/** As Asterisk writes a record of the shipped mappings: every field quoted, quotes doubled, all else as it is. */
function quoted(changes: Partial<typeof values> = {}): string {
  const all = { ...values, ...changes };
  return celColumns.map((name) => `"${all[name].replaceAll('"', '""')}"`).join(',');
}

/** As Asterisk 22.10.1 writes JSON: quotes escaped, all else as it is. */
function json(changes: Partial<typeof values> = {}): string {
  const all = { ...values, ...changes };
  return `{${celColumns.map((name) => `"${name}":"${all[name].replaceAll('"', '\\"')}"`).join(',')}}`;
}

describe('a line of the log', () => {
  it.each([
    ['of the shipped mapping', quoted()],
    ['of a JSON mapping', json()],
  ])('%s is read', (_, text) => {
    expect(parseCelLine(text)).toEqual({
      event: 'HANGUP',
      // Cut off, not rounded: so does ARI.
      at: 1795590856659,
      channel: '1795590854.0',
      linkedId: '1795590854.0',
      name: 'PJSIP/trunk-00000000',
      callerName: 'Ann',
      callerNumber: '+4930111222',
      exten: '4930901820',
      context: 'from-trunk',
      app: '',
      appData: '',
      peer: '',
      extra: { hangupcause: 16, hangupsource: 'PJSIP/trunk-00000000', dialstatus: '' },
    });
  });

  it.each([
    ['1795590856', 1795590856000],
    ['1795590856.5', 1795590856500],
    ['1795590856.000999', 1795590856000],
  ])('has its time in seconds: %s', (eventtime, at) => {
    expect(parseCelLine(quoted({ eventtime }))?.at).toBe(at);
  });

  it.each(['2026-11-25 07:14:16', '', '-1', '1e9', 'Infinity', '1795590856.6593090', '17955908566593.1'])(
    'with the time "%s" is not read: `dateformat` is set',
    (eventtime) => {
      expect(parseCelLine(quoted({ eventtime }))).toBeNull();
      expect(parseCelLine(json({ eventtime }))).toBeNull();
    },
  );

  it.each([
    ['nothing', ''],
    ['half a line', quoted().slice(0, 70)],
    ['a line that ends in a quote too few', quoted().slice(0, -1)],
    ['a column too many', `${quoted()},""`],
    ['a column too few', quoted().slice(quoted().indexOf(',') + 1)],
    ['a line without quotes', celColumns.map((name) => values[name]).join(',')],
    ['something after a quote', quoted().replace('"HANGUP"', '"HANGUP"x')],
    ['half of JSON', json().slice(0, 70)],
    ['JSON that is no object', '["HANGUP"]'],
    ['no event', quoted({ eventtype: '' })],
    ['no channel', quoted({ uniqueid: '' })],
    ['a line without end', quoted({ num: 'x'.repeat(20_000) })],
  ])('is not read when it is %s', (_, text) => {
    expect(parseCelLine(text)).toBeNull();
  });

  it('may carry any text of a user’s event', () => {
    for (const eventextra of ['', 'free text', '{"a":', '[1]', '"x"', '{not json}'])
      expect(parseCelLine(quoted({ eventextra }))?.extra).toEqual({});
  });

  it('keeps what a caller put into it, quotes, commas and backslashes too', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('"', ',', '\\', '{', ':', ' ', '\t', '\r', '0', 'a', 'ü', '号', '\u{1f4de}'),
          maxLength: 80,
        }),
        (num) => {
          expect(parseCelLine(quoted({ num }))).toMatchObject({ callerNumber: num, channel: '1795590854.0' });
        },
      ),
    );
  });

  it('cannot be forged by a caller whose number holds the end of a line', () => {
    const forged = quoted({ eventtype: 'CHAN_END', uniqueid: '1.1' });
    const bare = celColumns.map((name) => values[name]).join(',');
    const parts = fc.array(
      fc.constantFrom('\n', '"', ',', '\\', '{', '}', ':', forged, bare, json(), quoted(), 'x', '1.1'),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(parts, fc.constantFrom(quoted, json), (texts, write) => {
        const [first, ...after] = write({ num: texts.join('') }).split('\n');
        expect(parseCelLine(first ?? '')?.channel ?? values.uniqueid).toBe(values.uniqueid);
        expect(after.map(parseCelLine).filter((line) => line !== null)).toEqual([]);
      }),
      { numRuns: 5_000 },
    );
  });

  it('is null or a record of the right form, whatever comes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.constant('{"__proto__":{"eventtype":"x"}}')), (text) => {
        const line = parseCelLine(text);
        if (line !== null) expect([typeof line.at, typeof line.channel]).toEqual(['number', 'string']);
      }),
    );
  });
});

describe('the mappings that are shipped', () => {
  const columnsOf = (file: string, pattern: RegExp): string =>
    pattern.exec(readFileSync(new URL(`../../../asterisk/ringline/${file}`, import.meta.url), 'utf8'))?.[1] ?? '';

  it('for 22.10 and newer writes the columns that are read', () => {
    expect(columnsOf('cel_custom.conf', /^fields=(.*)$/m).split(',')).toEqual(celColumns);
  });

  it('for 16 writes the same', () => {
    const names: Readonly<Record<string, string>> = {
      'CALLERID(name)': 'name',
      'CALLERID(num)': 'num',
      BRIDGEPEER: 'peer',
    };
    const fields = columnsOf('cel_custom-16.conf', /^ringline\.csv => (.*)$/m).split(',');
    const columns = fields.map((field) => {
      const text = /^\$\{CSV_QUOTE\(\$\{(.+)\}\)\}$/.exec(field)?.[1] ?? field;
      return names[text] ?? /^CHANNEL\((\w+)\)$/.exec(text)?.[1] ?? text;
    });
    expect(columns).toEqual(celColumns);
  });
});
