import { describe, expect, it } from 'vitest';
import type { Fact, FactSource } from './domain/fact.js';
import { LOGGED } from './domain/fact.js';
import { gapFact } from './domain/gap.js';
import { tellTimeline } from './timeline.js';

const callId = '01936c7e-8b2a-7000-8000-000000000001';
const caller = '1795343276.0';
const start = Date.parse('2026-03-01T10:00:00.000Z');

function fact(kind: Fact['kind'], after: number, source: FactSource, data: unknown = {}): Fact {
  const isLogged = source === 'cel' && (kind === 'created' || kind === 'ended');
  return { leg: caller, kind, key: isLogged ? LOGGED : '', at: start + after, source, data } as Fact;
}

const created = (source: FactSource): Fact =>
  fact('created', 0, source, { side: 'remote', linkedId: null, sipCallId: null, name: null });
const ended = (source: FactSource, after: number): Fact =>
  fact('ended', after, source, { q850: null, sip: null, text: null });
const texts = (...facts: readonly Fact[]): string[] => tellTimeline(facts).map(({ text }) => text);

describe('a while in which nothing was heard', () => {
  const gap = gapFact(callId, 'not-heard', start + 3_000, start + 15_000);

  it('says how long it was, and by whom it is known what happened', () => {
    expect(tellTimeline([created('switch'), gap, ended('cel', 9_000)])).toContainEqual({
      at: '2026-03-01T10:00:03.000Z',
      text: 'Ringline did not hear from the PBX for 12 s; what happened in between is taken from Asterisk’s log.',
      estimated: false,
    });
    expect(texts(created('switch'), gap, ended('estimate', 3_000))).toContain(
      'Ringline did not hear from the PBX for 12 s; what happened in between is taken from what the PBX had afterwards.',
    );
    expect(texts(created('switch'), gap, fact('answered', 9_000, 'cel'), ended('switch', 14_000))).toContain(
      'Ringline did not hear from the PBX for 12 s; what happened in between is taken from Asterisk’s log and events that came late.',
    );
  });

  it('says that nothing is known of it where that is so', () => {
    expect(texts(created('switch'), gap, ended('switch', 30_000))).toContain(
      'Ringline did not hear from the PBX for 12 s; nothing is known to have happened in between.',
    );
  });

  it('stands as often as there were some, and once however often it is told', () => {
    const later = gapFact(callId, 'not-heard', start + 60_000, start + 60_400);
    expect(later.key).not.toBe(gap.key);
    expect(texts(gap, later).map((text) => /for ([^;]+);/.exec(text)?.[1])).toEqual(['12 s', '0.4 s']);
  });
});

describe('what was missed', () => {
  const endMissed = gapFact(caller, 'end-missed', start + 3_000, start + 303_000);
  const answerMissed = gapFact(caller, 'answer-missed', start + 9_000, start + 9_000);
  const beginningMissed = gapFact(callId, 'beginning-missed', start, start + 4_000);

  it('says when it was found out, and what stands instead', () => {
    expect(texts(created('switch'), endMissed, ended('estimate', 3_000))).toContain(
      'Ringline did not hear the leg of the caller end, and found that out 5 min later; when it ended is inferred.',
    );
    expect(texts(created('switch'), endMissed, ended('estimate', 3_000), ended('cel', 4_000))).toContain(
      'Ringline did not hear the leg of the caller end, and found that out 5 min later; when it ended is taken from Asterisk’s log.',
    );
    expect(texts(created('switch'), answerMissed, fact('answered', 9_000, 'estimate'))).toContain(
      'Ringline did not hear the caller answer: found answered now, by what the PBX had afterwards.',
    );
    expect(texts(created('switch'), answerMissed, fact('answered', 2_000, 'cel'))).toContain(
      'Ringline did not hear the caller answer; when that was is taken from Asterisk’s log.',
    );
    expect(texts(beginningMissed, created('cel'))).toEqual([
      'Ringline did not hear this call begin; it learned of it 4.0 s later from Asterisk’s log.',
    ]);
    expect(texts(gapFact(caller, 'pbx-restarted', start, start + 20_000), created('switch'))).toEqual([
      'The PBX was restarted under this call; Ringline heard of it 20 s later.',
    ]);
  });

  it('is not told where the event came after all', () => {
    expect(texts(created('switch'), endMissed, ended('switch', 3_000)).join()).not.toContain('did not hear');
    expect(texts(created('switch'), answerMissed, fact('answered', 2_000, 'switch'))).toEqual(['the caller answered.']);
    expect(texts(beginningMissed, created('switch'), created('cel'))).toEqual([]);
  });
});

describe('a call that the PBX itself makes', () => {
  const party = { kind: 'phone', agentId: null, device: 'PJSIP/1001' };
  const number = { raw: 's', e164: null, name: null };
  const observed = { region: 'DE', line: null, from: number, to: number };

  it('tells whom it rang, and of nobody who called', () => {
    const told = [fact('observed', 0, 'switch', observed), fact('party', 0, 'ringline', party)];
    expect(texts(created('switch'), ...told)).toContain('s called s.');
    expect(texts(created('switch'), ...told, fact('originated', 0, 'switch'), ended('switch', 9_000))).toEqual([
      'The PBX itself began to ring PJSIP/1001.',
      'The leg of PJSIP/1001 ended.',
    ]);
  });
});
