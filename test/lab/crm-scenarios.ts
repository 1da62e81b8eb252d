import { expect } from 'vitest';
import type { SipCall } from '../../lab/sip-trace.js';
import { waitFor } from '../../lab/wait-for.js';
import { RING_MS, TALK_MS, type Office } from './crm-scene.js';
import { beyondTalkMs, expectOneMore, expectPop, expectSeconds, expectTrue, isOf, type Expected } from './crm-truth.js';

export type Scenario = {
  /** What a CRM does that can, and what the same scenario shows of one that cannot. */
  readonly title: (expected: Expected) => string;
  readonly play: (office: Office, expected: Expected) => Promise<void>;
};

export const scenarios: readonly Scenario[] = [
  {
    title: ({ pops }) =>
      `a known caller is one call with the right contact and owner${pops ? ', and popped up before the agent answered' : '; it has no pop'}`,
    play: async (office, expected) => {
      const [first] = office.desks;
      const { number, id } = office.newContact('Carol König');
      const before = office.crm.calls();
      const since = Date.now();
      const caller = await office.ring(number, { talkMs: TALK_MS });
      const rung = await office.atAgent(first, since, ({ answeredAt }) => answeredAt !== undefined);
      const told = await office.told((await office.callWith(number)).id);
      expectOneMore(office, before, told);
      await expectTrue(office, expected, told, {
        number,
        direction: 'inbound',
        seen: await ended(caller),
        owner: first,
      });
      expect(told.there.contactIds).toContain(id);
      expect(office.crm.created().filter(isOf(number))).toEqual([]);
      expectPop(office, expected, number, first, rung);
    },
  },
  {
    title: ({ click }) =>
      click === null
        ? 'it has no click; a call placed by an application is one call with the right contact and owner'
        : 'a click rings the agent, then the customer, and is one call with the right contact and owner',
    play: async (office, expected) => {
      const [first] = office.desks;
      const { number, id } = office.newContact('Dmitri Orlov');
      const before = office.crm.calls();
      const since = Date.now();
      const callId = await office.dial(number);
      const told = await office.told(callId);
      const seen = await office.atCustomer(number);
      const rung = await office.atAgent(first, since, ({ answeredAt }) => answeredAt !== undefined);
      expect(rung.answeredAt).toBeLessThan(seen.inviteAt);
      expectOneMore(office, before, told);
      await expectTrue(office, expected, told, { number, direction: 'outbound', seen, owner: first });
      expect(told.there.contactIds).toContain(id);
      // Of a call that was placed nobody has to be told anything: its object is there.
      expect(office.crm.clicksTold?.() ?? []).toEqual([]);
    },
  },
  {
    title: ({ click }) =>
      click === null
        ? 'it has no click that could be refused'
        : 'a click that may not be dialled rings nobody, and the CRM is told why',
    play: async (office, expected) => {
      if (expected.click === null) {
        expect('click' in office.crm).toBe(false);
        return;
      }
      const before = office.crm.calls();
      const answer = await office.click(EMERGENCY);
      const { detail, callId } = (await answer.json()) as { readonly detail?: string; readonly callId?: string };
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(callId).toBeUndefined();
      expect(detail).toEqual(expect.stringMatching(/\w{3}/));
      if (expected.click === 'answered') {
        expect(office.crm.calls()).toHaveLength(before.length);
        return;
      }
      const told = await waitFor(() => office.crm.clicksTold?.()[0], { what: 'the CRM to be told of its click' });
      expect(office.crm.clicksTold?.()).toEqual([{ number: EMERGENCY, ok: false, text: detail }]);
      expect(told.text).not.toBe('');
    },
  },
  {
    title: ({ makes }) => `an unknown caller becomes what the rule says, once: ${makes.join(', ')}`,
    play: async (office, expected) => {
      const [first] = office.desks;
      for (const [index, make] of expected.makes.entries()) {
        await office.makeOfUnknown(make);
        const number = office.newNumber();
        const before = office.crm.calls();
        // The first one is talked with, the others give up: those are made something of too.
        const since = Date.now();
        const caller = await office.ring(number, index === 0 ? { talkMs: TALK_MS } : { giveUpMs: 100 });
        const told = await office.told((await office.callWith(number)).id);
        expectOneMore(office, before, told);
        if (index === 0) {
          const rung = await office.atAgent(first, since, ({ answeredAt }) => answeredAt !== undefined);
          expectPop(office, expected, number, first, rung);
          await expectTrue(office, expected, told, {
            number,
            direction: 'inbound',
            seen: await ended(caller),
            owner: first,
          });
        } else {
          expect(told.there).toMatchObject({ ownerId: first.userId, recording: null });
        }
        const made = office.crm.created().filter(isOf(number));
        expect(made.map(({ kind }) => kind)).toEqual([make]);
        // An incoming lead in a CRM's basket has an id of its own kind, beside that of its contact.
        if (make !== 'unsorted') {
          expect(told.crm.created?.id).toBe(made[0]?.id);
          expect(told.there.contactIds).toContain(made[0]?.id);
        }
      }
      await office.makeOfUnknown('nothing');
    },
  },
  {
    title: ({ tasks }) =>
      tasks
        ? 'a missed call is a task for the contact’s owner, which is closed when somebody calls back and talks'
        : 'it has no tasks for missed calls',
    play: async (office, expected) => {
      if (!expected.tasks) return;
      const [first, second] = office.desks;
      const { number, id } = office.newContact('Erik Ñandú');
      const [before, known] = [office.crm.calls(), office.crm.tasks()];
      await office.ring(number, { giveUpMs: 100 });
      const missed = await office.told((await office.callWith(number)).id);
      expect(missed.call).toMatchObject({ outcome: 'missed', answeredAt: null });
      expectOneMore(office, before, missed);
      expect(missed.there).toMatchObject({ isOpen: false, ownerId: first.userId, recording: null });
      expect(missed.there.wasAnswered).not.toBe(true);
      expect(missed.there.contactIds).toContain(id);
      const isNew = (task: { readonly id: string }): boolean => !known.some((one) => one.id === task.id);
      const [task, ...more] = office.crm.tasks().filter(isNew);
      expect(more).toEqual([]);
      expect(task).toMatchObject({ ownerId: second.userId, isOpen: true });
      expect(task?.subject).toContain(number);

      const between = office.crm.calls();
      const back = await office.told(await office.dial(number));
      expectOneMore(office, between, back);
      const seen = await office.atCustomer(number);
      await expectTrue(office, expected, back, { number, direction: 'outbound', seen, owner: first });
      const isClosed = (): boolean => !office.crm.tasks().some((one) => one.id === task?.id && one.isOpen);
      await waitFor(isClosed, { what: 'the task to be closed', timeoutMs: 20_000 });
      expect(office.crm.tasks().filter((one) => isNew(one) && one.isOpen)).toEqual([]);
    },
  },
  {
    title: ({ words }) =>
      `a transferred call is one call of who talked last${words ? ', and says who talked before' : '; it has no words for who talked before'}`,
    play: async (office, expected) => {
      const [first, second] = office.desks;
      const { number, id } = office.newContact('Fatma Şahin');
      const before = office.crm.calls();
      const since = Date.now();
      const caller = await office.ring(number, {});
      const call = await office.callWith(number, ({ status }) => status === 'answered');
      const atFirst = await office.atAgent(first, since, hasTalked);
      await office.company.call('POST', `/v1/calls/${call.id}/transfer`, { body: { agentId: second.agentId } });
      const atSecond = await office.atAgent(second, since, hasTalked);
      await office.company.call('POST', `/v1/calls/${call.id}/hangup`);
      const told = await office.told(call.id);
      expectOneMore(office, before, told);
      await expectTrue(office, expected, told, { number, direction: 'inbound', owner: second });
      expect(told.there.contactIds).toContain(id);
      // Music while the second phone rings is no talk.
      const talked = [...(await talks(office, [atFirst, atSecond]))];
      expect(talked).toHaveLength(2);
      if (expected.length === 'talk') expectSeconds(told, talked[0]! + talked[1]!, 0);
      else expectSeconds(told, (await ended(caller)).talkMs ?? 0, Math.max(RING_MS, beyondTalkMs[expected.length]));
      if (expected.words) {
        const both = new RegExp(`${first.name}\\b.*, then ${second.name}\\b`);
        expect(told.there.text).toMatch(both);
      }
      expectPop(office, expected, number, first, atFirst);
      expectPop(office, expected, number, second, atSecond);
    },
  },
];

/** Which no line dials. */
const EMERGENCY = '112';

async function ended(caller: { readonly calls: () => Promise<readonly SipCall[]> }): Promise<SipCall> {
  return waitFor(async () => (await caller.calls()).find(({ byeAt }) => byeAt !== undefined), {
    what: 'the caller to have ended',
  });
}

const hasTalked = ({ answeredAt }: SipCall): boolean => answeredAt !== undefined && Date.now() - answeredAt > TALK_MS;

/** From the answer to the end, at each of these phones, ms. */
async function talks({ phones }: Office, seen: readonly SipCall[]): Promise<readonly number[]> {
  return Promise.all(
    seen.map(async ({ callId }) => {
      const isOver = (call: SipCall): boolean => call.callId === callId && call.talkMs !== undefined;
      return (await phones.call(isOver, 'the phone to be free')).talkMs ?? 0;
    }),
  );
}
