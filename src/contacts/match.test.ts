import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agreementOf, rankMatches, weights, type Candidate } from './match.js';
import { formsOfField, soughtNumber, type NumberForms, type SoughtNumber } from './number-forms.js';

const sought = (raw: string, region = 'RU'): SoughtNumber => soughtNumber(raw, region) as SoughtNumber;
const forms = (field: string, region = 'RU'): NumberForms => formsOfField(field, region)[0] as NumberForms;

function candidate(id: string, field: string | null, changes: Partial<Candidate> = {}): Candidate {
  return {
    connectionId: 'crm',
    type: 'CONTACT',
    id,
    kind: 'contact',
    name: `Contact ${id}`,
    company: null,
    ownerId: null,
    url: null,
    number: field === null ? null : forms(field),
    isPicked: false,
    talkedAt: null,
    users: {},
    ...changes,
  };
}

const caller = sought('+74951234567');
const ids = (candidates: readonly Candidate[], agentId: string | null = null, number = caller): string[] =>
  rankMatches(number, candidates, agentId).map(({ id }) => id);

// region | what is sought | what the CRM has -> how they agree
const agreements = `
RU | +74951234567 | 8 (495) 123-45-67 -> exact
RU | 84951234567 | +7 495 1234567 -> exact
RU | +74951234567 | 123-45-67 -> last-digits
RU | +74951234567 | 8 (812) 123-45-67 -> null
RU | +74155552671 | 1 415 555 26 71 -> null
RU | +442079460958 | 020 7946 0958 -> national
RU | +14951234567 | 495 123-45-67 -> national
RU | +14951234567 | +7 495 123-45-67 -> null
RU | 020 7946 0958 | +44 20 7946 0958 -> national
RU | 123-45-67 | +7 495 123-45-67 -> last-digits
RU | 123-45-67 | 123-45-67 -> national
RU | +37151234567 | 495 123-45-67 -> null
RU | +74951234567 | 9,84951234567 -> last-digits
RU | 1001 | 1001 -> extension
RU | 1001 | доб. 1001 -> extension
RU | 1001 | 8 495 123-45-67 доб. 1001 -> null
RU | +74951234567 | 4567 -> null
GB | +442079460958 | 020 7946 0958 -> exact
US | +14155552671 | 415 555 2671 -> exact
DE | +14155552671 | (415) 555-2671 -> national
`;

describe('how a number agrees', () => {
  it.each(
    agreements
      .trim()
      .split('\n')
      .map((line) => line.split(/ \| | -> /) as [string, string, string, string]),
  )('in %s: %j with %j: %s', (region, raw, field, agreement) => {
    expect(String(agreementOf(sought(raw, region), forms(field, region)))).toBe(agreement);
  });
});

describe('matches', () => {
  it('tell why, and what each reason weighs', () => {
    const [match] = rankMatches(
      sought('+74951234567 доб. 12'),
      [
        candidate('1', '8 495 123-45-67 доб. 12', {
          ownerId: '7',
          users: { alice: '7' },
          talkedAt: 1_000,
          isPicked: true,
        }),
      ],
      'alice',
    );
    expect(match).toMatchObject({
      id: '1',
      number: '8 495 123-45-67 доб. 12',
      agreement: 'exact',
      reasons: ['picked', 'exact', 'same-extension', 'contact', 'owner', 'talked'],
      score: 1000 + 300 + 100 + 40 + 10 + 5,
      lastTalkAt: '1970-01-01T00:00:01.000Z',
    });
  });

  it('put people before leads before companies, whoever owns them and was talked to', () => {
    const mine = { ownerId: '7', users: { alice: '7' }, talkedAt: 1_000 };
    expect(
      ids(
        [
          candidate('c', '+74951234567', { kind: 'company', ...mine }),
          candidate('l', '+74951234567', { kind: 'lead', ...mine }),
          candidate('p', '+74951234567'),
        ],
        'alice',
      ),
    ).toEqual(['p', 'l', 'c']);
  });

  it('put the owner’s before who was talked to last, and that before the others', () => {
    const three = [
      candidate('1', '+74951234567', { talkedAt: 1_000 }),
      candidate('2', '+74951234567', { talkedAt: 2_000 }),
      candidate('3', '+74951234567', { ownerId: '7', users: { alice: '7', bob: '8' } }),
    ];
    expect(ids(three, 'alice')).toEqual(['3', '2', '1']);
    expect(ids(three, 'bob')).toEqual(['2', '1', '3']);
    expect(ids(three)).toEqual(['2', '1', '3']);
  });

  it('do not take a user without a CRM user for the owner of what nobody owns', () => {
    const [match] = rankMatches(caller, [candidate('1', '+74951234567')], 'alice');
    expect(match?.reasons).not.toContain('owner');
  });

  it('put the same extension first and another one last', () => {
    expect(
      ids(
        [
          candidate('13', '+74951234567 доб. 13', { kind: 'contact' }),
          candidate('firm', '+74951234567', { kind: 'company' }),
          candidate('12', '+74951234567 доб. 12', { kind: 'company' }),
        ],
        null,
        sought('+74951234567 доб. 12'),
      ),
    ).toEqual(['12', 'firm', '13']);
  });

  it('never show one who merely ends alike beside one who has the number', () => {
    const weak = candidate('weak', '123-45-67');
    expect(ids([weak, candidate('exact', '+74951234567')])).toEqual(['exact']);
    expect(ids([weak])).toEqual(['weak']);
  });

  it('show beside who has the number those who have it without its calling code, where that means nobody else at home', () => {
    const british = sought('+442079460958');
    const here = [candidate('exact', '+442079460958'), candidate('national', '020 7946 0958')];
    expect(ids(here, null, british)).toEqual(['exact', 'national']);
    const kamchatka = sought('+14155552671');
    const there = [candidate('exact', '+14155552671'), candidate('national', '415 555 2671')];
    expect(forms('415 555 2671').e164).toBe('+74155552671');
    expect(ids(there, null, kamchatka)).toEqual(['exact']);
    expect(ids(there.slice(1), null, kamchatka)).toEqual(['national']);
  });

  it('keep whom an agent picked, also by another number, before all others', () => {
    expect(
      ids([
        candidate('exact', '+74951234567'),
        candidate('weak', '123-45-67'),
        candidate('picked', null, { kind: 'company', isPicked: true }),
      ]),
    ).toEqual(['picked', 'exact']);
  });

  it('show everybody once, by the number that agrees best', () => {
    const twice = [candidate('1', '+74951234567 доб. 13'), candidate('1', '8 495 123-45-67 доб. 12')];
    const matches = rankMatches(sought('+74951234567 доб. 12'), twice, null);
    expect(matches.map(({ number }) => number)).toEqual(['8 495 123-45-67 доб. 12']);
  });

  it('weigh a person more than owner and last talk together, and a pick more than everything', () => {
    expect(weights.contact - weights.lead).toBeGreaterThan(weights.owner + weights.talked);
    expect(weights.lead - weights.company).toBeGreaterThan(weights.owner + weights.talked);
    const all = Object.entries(weights).filter(([reason, weight]) => reason !== 'picked' && weight > 0);
    expect(weights.picked).toBeGreaterThan(all.reduce((sum, [, weight]) => sum + weight, 0));
  });
});

const anyCandidate = fc
  .record({
    id: fc.constantFrom('1', '2', '3', '4', '5', '6'),
    type: fc.constantFrom('CONTACT', 'LEAD'),
    connectionId: fc.constantFrom('a', 'b'),
    kind: fc.constantFrom('contact', 'lead', 'company'),
    field: fc.constantFrom(
      '+74951234567',
      '8 495 123-45-67 доб. 12',
      '123-45-67',
      '495 123-45-67',
      '8 812 123-45-67',
      null,
    ),
    ownerId: fc.constantFrom('7', '8', null),
    isPicked: fc.boolean(),
    talkedAt: fc.constantFrom(null, 1_000, 2_000),
  })
  .map(({ id, field, ...rest }) => candidate(id, field, { ...rest, users: { alice: '7' } }));

describe('whatever the candidates', () => {
  it('their order changes nothing', () => {
    fc.assert(
      fc.property(fc.array(anyCandidate, { maxLength: 12 }), fc.integer(), (candidates, seed) => {
        const shuffled = candidates
          .map((one, place) => ({ one, by: Math.imul(place + 1, seed | 1) >>> 0 }))
          .sort((a, b) => a.by - b.by)
          .map(({ one }) => one);
        // One contact is one contact: what is told of it twice is the same but for the number.
        const once = (list: readonly Candidate[]): Candidate[] =>
          list.map((each) => ({
            ...(candidates.find((other) => keyOf(other) === keyOf(each)) as Candidate),
            number: each.number,
          }));
        expect(rankMatches(caller, once(shuffled), 'alice')).toEqual(rankMatches(caller, once(candidates), 'alice'));
      }),
    );
  });

  it('what merely ends alike is shown beside nothing better, scores fall, and nobody stands twice', () => {
    fc.assert(
      fc.property(fc.array(anyCandidate, { maxLength: 12 }), (candidates) => {
        const matches = rankMatches(caller, candidates, 'alice');
        const unpicked = matches.filter(({ reasons }) => !reasons.includes('picked'));
        const kinds = new Set(unpicked.map(({ agreement }) => agreement));
        expect(kinds.has('last-digits') && kinds.size > 1).toBe(false);
        expect(matches.map(({ score }) => score)).toEqual(matches.map(({ score }) => score).toSorted((a, b) => b - a));
        expect(new Set(matches.map(keyOf)).size).toBe(matches.length);
        for (const { reasons, score } of matches)
          expect(score).toBe(reasons.reduce((sum, reason) => sum + weights[reason], 0));
      }),
    );
  });
});

function keyOf({ connectionId, type, id }: { connectionId: string; type: string; id: string }): string {
  return `${connectionId} ${type} ${id}`;
}
