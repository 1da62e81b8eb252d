import { describe, expect, it } from 'vitest';
import type { SimulatedCall } from '../../crm/crm-simulator.js';
import { judgeCrm, type Able, type CrmFigures, type Held } from './judge-crm.js';
import type { ToldCall } from './told-call.js';

const able: Able = {
  live: true,
  updateAfterClose: true,
  recording: 'link',
  note: 'in-call',
  tasks: true,
  remove: true,
  creates: ['lead'],
  lacks: [],
};
const startedAt = new Date('2026-03-10T09:15:20.480Z');
const told = (changes: Partial<ToldCall> = {}): ToldCall => ({
  id: 'call',
  kind: 'answered',
  direction: 'inbound',
  number: '+493020000001',
  wasAnswered: true,
  talkSeconds: 125,
  durationSeconds: 150,
  startedAt,
  ownerId: 'u1',
  contactId: 'c1',
  hasRecording: true,
  note: 'wants an offer',
  mergedInto: null,
  ...changes,
});
const object = (changes: Partial<SimulatedCall> = {}): SimulatedCall => ({
  id: 'remote',
  externalId: 'call',
  direction: 'inbound',
  number: '030 20000001',
  seconds: 125,
  wasAnswered: true,
  isOpen: false,
  startedAt: new Date('2026-03-10T09:15:20Z'),
  ownerId: 'u1',
  contactIds: ['c1'],
  text: 'Incoming call\nwants an offer',
  recording: { url: 'https://ringline.example/r' },
  ...changes,
});
const missed = told({ kind: 'missed', wasAnswered: false, talkSeconds: 0, hasRecording: false, note: null });
const missedObject = object({ wasAnswered: false, seconds: 0, recording: null });
const task = (isOpen = true) => ({ id: 't', ownerId: 'u1', subject: 'Call back +493020000001', isOpen });

function judged(calls: readonly ToldCall[], held: Partial<Held>, changes: Partial<Able> = {}): CrmFigures {
  return judgeCrm(calls, { calls: [], tasks: [], created: [], ...held }, { ...able, ...changes });
}

describe('what a CRM holds, judged', () => {
  it('is right when there is one object of each conversation, as it was', () => {
    expect(judged([told()], { calls: [object()] })).toMatchObject({
      conversations: 1,
      missing: 0,
      doubled: 0,
      recordings: { expected: 1, attached: 1 },
      notes: { expected: 1, kept: 1 },
      wrong: [],
    });
    // Of the whole length, where the vendor defines it so.
    expect(judged([told()], { calls: [object({ seconds: 150 })] }).wrong).toEqual([]);
  });

  it('is wrong for a call that is missing, one that is there twice, and one that is not ours', () => {
    expect(judged([told()], {})).toMatchObject({
      missing: 1,
      wrong: ['answered call call is not there'],
    });
    const twice = judged([told()], { calls: [object(), object({ id: 'other' })] });
    expect(twice).toMatchObject({ doubled: 1, wrong: ['answered call call is there 2 times'] });
    expect(judged([], { calls: [object(), object({ externalId: null })] }).wrong).toEqual([
      'remote is no call of ours',
      'remote is no call of ours',
    ]);
  });

  it.each([
    ['isOpen', { isOpen: true }],
    ['seconds', { seconds: 125_000 }],
    ['direction', { direction: 'outbound' }],
    ['wasAnswered', { wasAnswered: false }],
    ['ownerId', { ownerId: null }],
    ['number', { number: '030 20000002' }],
    ['number', { number: null }],
    ['startedAt', { startedAt: new Date('2026-03-10T10:15:20Z') }],
    ['startedAt', { startedAt: null }],
    ['contactIds', { contactIds: [] }],
  ] as const)('is wrong for another %s, unless the vendor has no field for it', (field, changes) => {
    const calls = [object(changes)];
    expect(judged([told()], { calls }).wrong).toEqual([expect.stringMatching(`call call: ${field} is `)]);
    expect(judged([told()], { calls }, { lacks: [field] }).wrong).toEqual([]);
  });

  it('is wrong for a recording or a note that is not there, where the CRM can have it', () => {
    const bare = { calls: [object({ recording: null, text: 'Incoming call' })] };
    expect(judged([told()], bare)).toMatchObject({
      recordings: { expected: 1, attached: 0 },
      notes: { expected: 1, kept: 0 },
      wrong: ['answered call call: its recording is not there', 'answered call call: its note is not there'],
    });
    const cannot = judged([told()], bare, { recording: 'none', note: 'none' });
    expect(cannot).toMatchObject({ recordings: { expected: 0 }, notes: { expected: 0 }, wrong: [] });
    expect(judged([told()], bare, { recording: 'none', updateAfterClose: false }).notes.expected).toBe(0);
  });

  it('counts a note that is there twice', () => {
    const calls = [object({ text: 'wants an offer\nwants an offer' })];
    expect(judged([told()], { calls })).toMatchObject({ extra: { notes: 1 }, wrong: [] });
  });

  it('wants a merged call to be removed, or closed where it cannot be', () => {
    const merged = told({ kind: 'merged', mergedInto: 'other' });
    expect(judged([merged], {})).toMatchObject({ conversations: 0, merged: { calls: 1, closed: 0 }, wrong: [] });
    const left = { calls: [object()] };
    expect(judged([merged], left)).toMatchObject({
      merged: { notRemoved: 1 },
      wrong: ['merged call call is still there'],
    });
    expect(judged([merged], left, { remove: false })).toMatchObject({ merged: { closed: 1 }, wrong: [] });
    const open = judged([merged], { calls: [object({ isOpen: true })] }, { remove: false });
    expect(open.wrong).toEqual(['merged call call is still open']);
  });

  it('wants a task for a missed call, counts more than one, and allows none of another', () => {
    const calls = [missedObject];
    expect(judged([missed], { calls }).wrong).toEqual(['missed call call has no task']);
    expect(judged([missed], { calls, tasks: [task()] })).toMatchObject({ tasks: { expected: 1, made: 1 }, wrong: [] });
    expect(judged([missed], { calls, tasks: [task(), task()] })).toMatchObject({ extra: { tasks: 1 }, wrong: [] });
    expect(judged([missed], { calls }, { tasks: false }).wrong).toEqual([]);
    expect(judged([told()], { calls: [object()], tasks: [task()] }).wrong).toEqual(['answered call call has a task']);
  });

  it('wants a task to be closed once somebody has talked with the number', () => {
    const calledBack = [{ ...missed, kind: 'called-back' } as const, told({ id: 'back', kind: 'call-back' })];
    const calls = [missedObject, object({ externalId: 'back' })];
    expect(judged(calledBack, { calls }).wrong).toEqual([]);
    expect(judged(calledBack, { calls, tasks: [task(false)] }).wrong).toEqual([]);
    expect(judged(calledBack, { calls, tasks: [task()] })).toMatchObject({
      tasks: { leftOpen: 1 },
      wrong: ['called-back call call: its task is open'],
    });
    // Of one that was made twice the other stays.
    expect(judged(calledBack, { calls, tasks: [task(), task(false)] })).toMatchObject({
      tasks: { leftOpen: 1 },
      extra: { tasks: 1 },
      wrong: [],
    });
  });

  it('wants something to be made of an unknown caller alone, and counts more than one', () => {
    const unknown = told({ contactId: null });
    const lead = { kind: 'lead', id: 'l', numbers: ['+49 30 20000001'] };
    const calls = [object()];
    expect(judged([unknown], { calls }).wrong).toEqual(['answered call call: nothing was made of its caller']);
    expect(judged([unknown], { calls, created: [lead] })).toMatchObject({
      unknownCallers: { expected: 1, made: 1 },
      wrong: [],
    });
    expect(judged([unknown], { calls, created: [lead, lead] })).toMatchObject({ extra: { created: 1 }, wrong: [] });
    expect(judged([unknown], { calls }, { creates: [] }).wrong).toEqual([]);
    expect(judged([told()], { calls, created: [lead] }).wrong).toEqual([
      'answered call call: its caller was made anew',
    ]);
    const outgoing = [told({ contactId: null, direction: 'outbound' })];
    expect(judged(outgoing, { calls: [object({ direction: 'outbound' })] }).wrong).toEqual([]);
  });
});
