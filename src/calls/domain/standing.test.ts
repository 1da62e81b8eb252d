import { describe, expect, it } from 'vitest';
import { LOGGED, twiceTold, type Fact, type FactSource } from './fact.js';
import { standingFacts } from './standing.js';

const leg = '1795343276.0';

function fact(kind: Fact['kind'], at: number, source: FactSource, data: unknown = {}, room = ''): Fact {
  const key = source === 'cel' && twiceTold.has(kind) ? LOGGED : room;
  return { leg, kind, key, at, source, data } as Fact;
}

function joined(at: number, source: FactSource, room = 'room'): Fact {
  return fact('joined', at, source, { room }, `${room}@${at}`);
}

function parted(at: number, source: FactSource, room = 'room'): Fact {
  return fact('parted', at, source, { room }, `${room}@${at}`);
}

describe('a leg that left our control because it was hung up', () => {
  const log = [fact('left-control', 92, 'cel'), fact('hangup-asked', 92, 'cel', { byParty: false })];
  const timeOf = (facts: readonly Fact[], wanted: Fact['kind']): number | undefined =>
    standingFacts(facts).find(({ kind }) => kind === wanted)?.at;

  it('did not live on where events told of its leaving alone, some ms before the log', () => {
    const facts = [...log, fact('left-control', 90, 'switch')];
    expect([timeOf(facts, 'hangup-asked'), timeOf(facts, 'left-control')]).toEqual([90, 90]);
    expect([timeOf(facts.toReversed(), 'hangup-asked'), timeOf(facts.toReversed(), 'left-control')]).toEqual([90, 90]);
  });

  it('keeps its times where the log has it hung up later', () => {
    const facts = [
      log[0] as Fact,
      fact('hangup-asked', 95, 'cel', { byParty: true }),
      fact('left-control', 90, 'switch'),
    ];
    expect([timeOf(facts, 'hangup-asked'), timeOf(facts, 'left-control')]).toEqual([95, 90]);
  });
});

const created = fact('created', 0, 'cel', { side: 'remote', linkedId: null, sipCallId: null, name: null });
const ended = fact('ended', 90, 'cel', { q850: null, sip: null, text: null });
/** Held for a while: parted, and joined again. */
const log = [created, joined(10, 'cel'), parted(40, 'cel'), joined(60, 'cel'), parted(88, 'cel'), ended];
/** The gap in which it was held was not seen; a look at the switch found it joined. */
const others = [joined(11, 'switch'), joined(59, 'reconcile'), parted(89, 'switch')];

describe('the times at which a leg joined and parted', () => {
  it('are the log’s alone when that tells of the leg from its beginning to its end', () => {
    expect(standingFacts([...log, ...others])).toEqual(log);
    expect(standingFacts([...others, ...log])).toEqual(log);
  });

  it('leave everything else as it was', () => {
    const asked = fact('hangup-asked', 89, 'switch', { byParty: true });
    expect(standingFacts([...log, ...others, asked])).toEqual([...log, asked]);
  });

  it.each([
    ['does not tell of its beginning', log.filter(({ kind }) => kind !== 'created')],
    ['does not reach as far as others', log.slice(0, 3)],
    ['never saw a room that others saw', log.filter(({ kind }) => kind !== 'joined')],
    ['is not there', []],
  ])('are everybody’s when the log %s', (_, half) => {
    const facts = [...half, ...others];
    expect(standingFacts(facts)).toEqual(facts);
  });

  it('are the log’s as soon as it has told as much', () => {
    expect(standingFacts([...log.slice(0, 3), joined(11, 'switch'), parted(40, 'switch')])).toEqual(log.slice(0, 3));
  });

  it('are the log’s though others tell of a time after the end', () => {
    expect(standingFacts([...log, parted(95, 'switch')])).toEqual(log);
  });
});

describe('what both events and the log tell', () => {
  const end = (source: FactSource, at: number, sip: number | null, text: string | null = null): Fact =>
    fact('ended', at, source, { q850: null, sip, text });
  const stands = (...facts: readonly Fact[]): Fact => {
    const standing = standingFacts(facts);
    expect(standingFacts(facts.toReversed())).toEqual(standing);
    expect(standing).toHaveLength(1);
    return standing[0] as Fact;
  };

  it('is at the time of the log, with what only events know', () => {
    expect(stands(end('switch', 6, 486, 'Busy'), end('cel', 7, null))).toMatchObject({
      at: 7,
      source: 'switch',
      data: { q850: null, sip: 486, text: 'Busy' },
    });
  });

  it('is the log’s alone where the rest was only guessed', () => {
    const guess = end('estimate', 5, null, 'the PBX was restarted');
    expect(stands(guess, end('cel', 7, null))).toEqual(end('cel', 7, null));
  });

  it('is one of them alone where the other does not tell of it', () => {
    expect(stands(end('cel', 7, null))).toEqual(end('cel', 7, null));
    expect(standingFacts([end('switch', 6, 486), fact('answered', 3, 'cel')])).toContainEqual(end('switch', 6, 486));
  });

  it('came to be when the first says so: the log writes it a moment later', () => {
    const came = (source: FactSource, at: number, sipCallId: string | null): Fact =>
      fact('created', at, source, { side: 'remote', linkedId: leg, sipCallId, name: 'PJSIP/trunk-00000001' });
    expect(stands(came('switch', 5, 'id@pbx'), came('cel', 6, null))).toEqual(came('switch', 5, 'id@pbx'));
  });

  it('was begun when the first says so, and by the party if any says so: the log writes it when it is done', () => {
    const asked = (source: FactSource, at: number, byParty: boolean): Fact =>
      fact('hangup-asked', at, source, { byParty });
    expect(stands(asked('switch', 5, false), asked('cel', 7, true))).toMatchObject({ at: 5, data: { byParty: true } });
    expect(stands(asked('switch', 5, true), asked('cel', 7, false))).toMatchObject({ at: 5, data: { byParty: true } });
    expect(stands(fact('left-control', 5, 'switch'), fact('left-control', 6, 'cel')).at).toBe(5);
    expect(stands(fact('left-control', 9, 'estimate'), fact('left-control', 6, 'cel')).at).toBe(6);
  });
});
