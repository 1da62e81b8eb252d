import { describe, expect, it } from 'vitest';
import { factId, standingFact, type Fact, type FactSource } from './fact.js';
import { standingSeries } from './series.js';

const leg = '1795343276.0';

function fact(kind: Fact['kind'], at: number, source: FactSource, data: unknown = {}, key = ''): Fact {
  return { leg, kind, key, at, source, data } as Fact;
}

function joined(at: number, source: FactSource, room = 'room'): Fact {
  return fact('joined', at, source, { room }, `${room}@${at}`);
}

function parted(at: number, source: FactSource, room = 'room'): Fact {
  return fact('parted', at, source, { room }, `${room}@${at}`);
}

const created = fact('created', 0, 'cel', { side: 'remote', linkedId: null, sipCallId: null, name: null });
const ended = fact('ended', 90, 'cel', { q850: null, sip: null, text: null });
/** Held for a while: parted, and joined again. */
const log = [created, joined(10, 'cel'), parted(40, 'cel'), joined(60, 'cel'), parted(88, 'cel'), ended];
/** The gap in which it was held was not seen; a look at the switch found it joined. */
const others = [joined(11, 'switch'), joined(59, 'reconcile'), parted(89, 'switch')];

describe('the times at which a leg joined and parted', () => {
  it('are the log’s alone when that tells of the leg from its beginning to its end', () => {
    expect(standingSeries([...log, ...others])).toEqual(log);
    expect(standingSeries([...others, ...log])).toEqual(log);
  });

  it('leave everything else as it was', () => {
    const asked = fact('hangup-asked', 89, 'switch', { byParty: true });
    expect(standingSeries([...log, ...others, asked])).toEqual([...log, asked]);
  });

  it.each([
    ['does not tell of its beginning', log.filter(({ kind }) => kind !== 'created')],
    ['does not reach as far as others', log.slice(0, 3)],
    ['never saw a room that others saw', log.filter(({ kind }) => kind !== 'joined')],
    ['is not there', []],
  ])('are everybody’s when the log %s', (_, half) => {
    const facts = [...half, ...others];
    expect(standingSeries(facts)).toEqual(facts);
  });

  it('are the log’s as soon as it has told as much', () => {
    expect(standingSeries([...log.slice(0, 3), joined(11, 'switch'), parted(40, 'switch')])).toEqual(log.slice(0, 3));
  });

  it('are the log’s though others tell of a time after the end', () => {
    expect(standingSeries([...log, parted(95, 'switch')])).toEqual(log);
  });
});

describe('of two facts about one thing', () => {
  const end = (source: FactSource, at: number, sip: number | null, text: string | null = null): Fact =>
    fact('ended', at, source, { q850: null, sip, text });
  const orders = (facts: readonly Fact[]): Fact[] => {
    const [a, b, c] = facts as [Fact, Fact, Fact];
    return [
      [a, b, c],
      [a, c, b],
      [b, a, c],
      [b, c, a],
      [c, a, b],
      [c, b, a],
    ].map(([x, y, z]) => standingFact(standingFact(x as Fact, y as Fact), z as Fact));
  };

  it('the better stands, and what only the other knew', () => {
    const facts = [end('reconcile', 5, null), end('switch', 6, 486, 'Busy'), end('cel', 7, null)];
    for (const stands of orders(facts))
      expect(stands).toMatchObject({ at: 7, source: 'cel', data: { sip: 486, text: 'Busy' } });
  });

  it('nothing stands of what was only guessed', () => {
    const facts = [end('estimate', 5, null, 'the PBX was restarted'), end('switch', 6, 486), end('cel', 7, null)];
    for (const stands of orders(facts)) expect(stands.data).toEqual({ q850: null, sip: 486, text: null });
  });

  it('the first stands of what the log writes only when it is done, and the party that any of them names', () => {
    const asked = (source: FactSource, at: number, byParty: boolean): Fact =>
      fact('hangup-asked', at, source, { byParty });
    const facts = [asked('switch', 5, false), asked('switch', 6, false), asked('cel', 7, true)];
    for (const stands of orders(facts)) expect(stands).toMatchObject({ at: 5, data: { byParty: true } });
    expect(new Set(facts.map(factId)).size).toBe(1);
    const left = [
      fact('left-control', 9, 'estimate'),
      fact('left-control', 5, 'switch'),
      fact('left-control', 6, 'cel'),
    ];
    for (const stands of orders(left)) expect(stands.at).toBe(5);
  });
});
