import { describe, expect, it } from 'vitest';
import type { Fact } from '../domain/fact.js';
import { foldObserved } from '../domain/fold-observed.js';
import { gatherObserved } from '../domain/observed.js';
import { decideObserved } from './observed.js';
import { callId, created, fact, number, start } from './talking.test-support.js';

const [customer, phone] = ['1795343276.0', '1795343277.1'];
const party = (leg: string, kind: string, device: string): Fact =>
  fact(leg, 'party', 0, { kind, agentId: null, device });
const ringing: readonly Fact[] = [
  fact(callId, 'observed', 0, { region: 'DE', line: null, from: number, to: number }),
  created(customer, 0, 'remote'),
  fact(customer, 'entered', 0, { dialled: '1003', callerNumber: '', callerName: '' }),
  party(customer, 'trunk', 'PJSIP/trunk'),
  created(phone, 10, 'remote'),
  party(phone, 'phone', 'PJSIP/1003'),
  fact(phone, 'ringing', 100),
];
const asked = fact(callId, 'cancel-asked', 2_000, { by: 'api', reason: 'cancelled-by-api' });
const released = (leg: string): Fact => fact(leg, 'released', 2_000, { why: 'cancelled' });
const ended = (leg: string, after: number): readonly Fact[] => [
  fact(leg, 'hangup-asked', after, { byParty: false }),
  fact(leg, 'ended', after + 1, { q850: 16, sip: null, text: null }),
];

function stateOf(more: readonly Fact[]) {
  const state = gatherObserved(callId, [...ringing, ...more]);
  if (state === null) throw new Error('nothing was observed');
  return state;
}

function decided(after: number, ...more: readonly Fact[]): unknown {
  const { record, chains } = decideObserved(stateOf(more), start + after);
  return [record.map(({ kind, leg }) => `${kind} ${leg}`), chains.flat().map(({ key }) => key)];
}

describe('a call of the dial plan', () => {
  it('is left alone until somebody wants its end', () => {
    expect(decided(5_000)).toEqual([[], []]);
  });

  it('loses first who came into the dial plan, then whom that called', () => {
    expect(decided(2_000, asked)).toEqual([[`released ${customer}`], []]);
    expect(decided(2_001, asked, released(customer))).toEqual([[], [`end:${customer}`]]);
    expect(decided(2_050, asked, released(customer), ...ended(customer, 2_040))).toEqual([[`released ${phone}`], []]);
  });

  it('is asked about when its legs do not end', () => {
    expect(decided(4_500, asked, released(customer))).toEqual([[], [`end:${customer}`, `check:${customer}:0`]]);
  });

  it('was cancelled when nobody had talked', () => {
    const over = [asked, released(customer), ...ended(customer, 2_040), ...ended(phone, 2_050)];
    const identity = { id: callId, tenantId: callId, pbxNodeId: callId };
    expect(foldObserved(identity, stateOf(over), 1)).toMatchObject({
      outcome: 'cancelled',
      outcomeReason: 'cancelled-by-api',
      hangup: { by: 'api' },
      participants: [{ device: 'PJSIP/1003', role: 'rang' }],
    });
  });
});
