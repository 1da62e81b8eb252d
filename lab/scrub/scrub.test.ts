import { describe, expect, it } from 'vitest';
import type { StreamEntry } from '../../src/asterisk/raw-stream/stream-entry.js';
import { parsePhoneNumber } from '../../src/numbers/phone-number.js';
import { readFixtures } from '../replay/fixture.js';
import { replay } from '../replay/replay.js';
import { regionsOf, Scrubber } from './scrub.js';

const fixtures = await readFixtures();

const at = Date.parse('2026-11-22T11:03:35.455Z');
const place = {
  at,
  node: '01936c7e-8b2a-7000-8000-0000000000bb',
  boot: '2026-11-22T08:39:46.228+0000',
  app: 'acme-crm',
};
const callId = '01a202ec-fd2d-7220-80ba-b789637cea36';

/** A stream that holds about everything that must not get out. */
const telling: readonly StreamEntry[] = [
  {
    ...place,
    kind: 'frame',
    text: JSON.stringify({
      type: 'StasisStart',
      timestamp: '2026-11-22T11:03:35.455+0530',
      args: ['inbound', '493023125000'],
      application: 'acme-crm',
      asterisk_id: '52:54:00:ab:cd:ef',
      channel: {
        id: '1795345415.12',
        name: 'PJSIP/acmetrunk-00000123',
        state: 'Ring',
        protocol_id: '1-25093@pbx7.acme.example',
        caller: { name: 'Łucja Żółć 陳大文 O’Neill', number: '+49 (30) 23125-300' },
        connected: { name: 'Grace Hopper 🤙', number: '004917139200123' },
        accountcode: 'customer 4711007',
        dialplan: {
          context: 'from-acme',
          exten: '493023125000',
          app_name: 'Stasis',
          app_data: 'acme-crm,inbound,493023125000',
        },
        channelvars: {
          'CHANNEL(linkedid)': '1795345415.12',
          SIPPASSWORD: 'hunter2hunter2',
          VIA: 'SIP/2.0/UDP 198.51.100.77:50612;branch=z9hG4bK9876543',
          CONTACT: 'sip:grace.hopper@[2001:db8:85a3::8a2e:370:7334]:5061;transport=tls',
          IDENTITY: 'mailto:grace@acme.example',
        },
      },
    }),
  },
  { ...place, kind: 'frame', text: 'half a frame about Grace Hopper, 030 2312 5300' },
  {
    ...place,
    kind: 'routed',
    leg: '1795345415.12',
    did: '493023125000',
    callId,
    route: {
      tenantId: '01936c7e-8b2a-7000-8000-0000000000aa',
      from: { raw: '+493023125300', e164: '+493023125300', name: 'Grace Hopper' },
      blockedBy: null,
      record: false,
      line: { id: '01936c7e-8b2a-7000-8000-0000000000dd', number: '+493023125000', name: 'Acme Sales' },
      phones: [{ agentId: '01936c7e-8b2a-7000-8000-0000000000cc', endpoint: 'gracehopper7', autoAnswer: 'none' }],
      ringSeconds: 25,
      limitSeconds: 14_400,
    },
  },
  {
    ...place,
    kind: 'told',
    told: {
      leg: callId,
      call: { id: callId, tenantId: '01936c7e-8b2a-7000-8000-0000000000aa' },
      facts: [
        {
          leg: callId,
          kind: 'annotated',
          key: '01936c7e-8b2a-7000-8000-0000000000ee',
          at,
          source: 'ringline',
          data: {
            note: 'Ms Lovelace, call back 0171 39200456 before 2026-12-01',
            tags: ['lovelace'],
            disposition: 'sold',
          },
        },
      ],
    },
  },
];

const names =
  `acme acmetrunk lucja Łucja Żółć 陳大文 Neill Grace Hopper hopper gracehopper customer pbx7 hunter2 Lovelace lovelace sold
  Sales mailto 🤙`.split(/\s+/);

function scrubbed(entries: readonly StreamEntry[], seed: string): StreamEntry[] {
  const scrubber = new Scrubber(seed, regionsOf(entries));
  return entries.map((entry) => scrubber.entry(entry));
}

describe('a scrubbed stream', () => {
  it.each(Array.from({ length: 20 }, (_, i) => `seed ${i}`))(
    'holds no number and no name of the original: %s',
    (seed) => {
      const text = JSON.stringify(scrubbed(telling, seed));
      // Within hexadecimal ids any digits may follow each other by chance.
      const runsOf = (what: string) => new Set(what.match(/(?<![0-9A-Za-z])\d{5,}(?![0-9A-Za-z])/g));
      const original = runsOf(JSON.stringify(telling));
      // A setting of ours.
      original.delete('14400');
      expect(original.size).toBeGreaterThan(8);
      expect([...runsOf(text)].filter((run) => original.has(run))).toEqual([]);
      expect(names.filter((name) => text.toLowerCase().includes(name.toLowerCase()))).toEqual([]);
      for (const host of ['198.51.100.77', '85a3:', '8a2e:370', 'ab:cd:ef', 'acme.example', 'hunter2'])
        expect(text).not.toContain(host);
      for (const id of JSON.stringify(telling).match(/[0-9a-f-]{36}/g) ?? []) expect(text).not.toContain(id);
      for (const digits of ['23125300', '2312', '4930', '39200'])
        expect(text.replaceAll(/\D/g, ' ').split(' ')).not.toContain(digits);
    },
  );

  it('keeps the words of the protocol, the form of numbers and the distance of times', () => {
    const [first, , routed] = scrubbed(telling, 'seed');
    const frame = JSON.parse((first as { text: string }).text);
    expect(frame).toMatchObject({ type: 'StasisStart', args: ['inbound', expect.stringMatching(/^49\d{10}$/)] });
    const { channel } = frame;
    expect(channel).toMatchObject({ state: 'Ring', dialplan: { app_name: 'Stasis' } });
    expect(channel.name).toMatch(/^PJSIP\/[a-z]{9}-[0-9a-f]{8}$/);
    expect(channel.caller.number).toMatch(/^\+49 \(\d\d\) \d{5}-\d{3}$/);
    expect(channel.connected.number).toMatch(/^0049171|^00491\d/);
    expect(channel.dialplan.app_data).toBe(`${frame.application},inbound,${channel.dialplan.exten}`);
    expect(frame.timestamp).toMatch(/\.455\+0530$/);
    expect(channel.id).toMatch(/^\d{10}\.12$/);
    expect(channel.channelvars.CONTACT).toMatch(/^sip:[a-z]{5}\.[a-z]{6}@\[2001:db8::.*\]:\d{4};transport=tls$/);
    expect(first?.at).toBe(Number(channel.id.slice(0, 10)) * 1_000 + 455);
    expect(routed).toMatchObject({
      did: channel.dialplan.exten,
      route: { line: { number: `+${frame.args[1]}` }, limitSeconds: 14_400 },
    });
  });

  it.each(['', 'log', 'api 3', 'pause 12', '17'])(
    'keeps the key %j of a fact, from which it follows what the fact means',
    (key) => {
      expect(new Scrubber('seed', ['DE']).document({ kind: 'held', key })).toEqual({ kind: 'held', key });
    },
  );

  it('moves the time in a key, and replaces the ids there', () => {
    const scrubber = new Scrubber('seed', ['DE']);
    const { key: room } = scrubber.document({ key: `rl-${callId}@1795345415455` });
    expect(room).toMatch(/^rl-[0-9a-f-]{36}@1\d{12}$/);
    expect(room).not.toContain(callId);
    expect(scrubber.document({ key: `${callId} 3` }).key).toMatch(/^(?!01a202ec)[0-9a-f-]{36} 3$/);
  });

  it('is the same with the same seed, also in another file, and another with another', () => {
    const [only] = scrubbed(telling.slice(2, 3), 'one');
    expect(only).toEqual(scrubbed(telling, 'one')[2]);
    expect(scrubbed(telling, 'two')[2]).not.toEqual(only);
  });

  it.each(fixtures)('$name folds to the same record, apart from what was replaced', async ({ entries }) => {
    const scrubber = new Scrubber('another', regionsOf(entries));
    const { told: _, ...original } = await replay(entries);
    const { told: __, ...replayed } = await replay(entries.map((entry) => scrubber.entry(entry)));
    expect(replayed).toEqual(scrubber.document(original));
    expect(replayed).not.toEqual(original);
  });
});

describe('a scrubbed number', () => {
  const scrubber = new Scrubber('seed', ['DE']);

  it.each([
    '+4930901820',
    '+4917139200123',
    '+14155550123',
    '+442079460000',
    '+33612345678',
    '+81312345678',
    '+390612345678',
  ])('of %s is another of the same country, type and length, however it is written', (number) => {
    const other = scrubber.document(number);
    expect(other).not.toBe(number);
    expect(other).toHaveLength(number.length);
    const [one, two] = [number, other].map((text) => parsePhoneNumber(text, 'DE').e164);
    expect(one === null).toBe(two === null);
    expect(scrubber.document(`00${number.slice(1)}`)).toBe(`00${other.slice(1)}`);
  });

  it('is the same subscriber in national and international form', () => {
    const e164 = parsePhoneNumber(scrubber.document('030 23125300'), 'DE').e164;
    expect(e164).toBe(scrubber.document('+493023125300'));
  });

  it.each(['201', '12345', '123456789012345678'])('of %s, which is none, is none', (digits) => {
    const other = scrubber.document(digits);
    expect(other).toMatch(new RegExp(`^\\d{${digits.length}}$`));
    expect(parsePhoneNumber(other, 'DE').e164).toBeNull();
  });

  it.each(['', 's', 'anonymous'])('of nobody (%j) stays', (nobody) => {
    expect(scrubber.document(nobody)).toBe(nobody);
  });
});
