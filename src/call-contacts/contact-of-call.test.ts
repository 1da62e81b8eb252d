import type { DataSource } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { callDocument } from '../../lab/call-document.js';
import { waitFor } from '../../lab/wait-for.js';
import type { CommittedChange } from '../calls/after-commit.js';
import type { Call } from '../calls/domain/call.js';
import type { CallEventType } from '../calls/domain/call-event.js';
import type { LiveCall } from '../calls/ledger/live-call.js';
import { createLog } from '../common/logger.js';
import { newId } from '../common/ids.js';
import type { Candidate } from '../contacts/match.js';
import { formsOfField, soughtNumber } from '../contacts/number-forms.js';
import { ContactOfCall } from './contact-of-call.js';

const connectionId = newId();

function card(id: string, number: string | null, more: Partial<Candidate> = {}): Candidate {
  const text = { kind: 'contact', name: `Card ${id}`, company: null, url: null } as const;
  const forms = number === null ? null : (formsOfField(number, 'US')[0] ?? null);
  const none = { ownerId: null, isPicked: false, talkedAt: null, users: {} };
  return { connectionId, type: 'card', id, ...text, ...none, number: forms, ...more };
}

/** A record-keeper with an index that answers as told, and what the ledger was told. */
function keeper(candidates: readonly Candidate[] | Error, options: { found?: object; agents?: object[] } = {}) {
  const told: { callId: string; contact: string; owner: unknown }[] = [];
  const sought: string[] = [];
  let running = 0;
  let most = 0;
  const source = {
    query: (sql: string) =>
      Promise.resolve(
        /from agent/.test(sql) ? (options.agents ?? []) : [{ id: connectionId, users: { map: {}, match: 'email' } }],
      ),
  } as unknown as DataSource;
  const keeping = new ContactOfCall(
    source,
    { of: ({ remote }) => Promise.resolve(soughtNumber(remote.raw, 'US', remote.e164)) },
    {
      find: async (tenantId, _, agentIds) => {
        sought.push(`${tenantId} ${agentIds.join()}`);
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
        if (candidates instanceof Error) throw candidates;
        return candidates;
      },
    },
    {
      find: (id) =>
        Promise.resolve({ identity: { id }, state: { found: options.found ?? null } } as unknown as LiveCall),
      tellOf: ({ identity: { id: callId } }, facts) => {
        for (const { data } of facts) {
          const { contact, owner } = data as { contact: { id: string }; owner: unknown };
          told.push({ callId, contact: contact.id, owner });
        }
      },
    },
    { now: () => 1_000 },
    createLog('silent'),
  );
  const commit = (type: CallEventType, ...calls: readonly Call[]): void =>
    keeping.onCommit(
      calls.map((call) => ({ call, events: [{ event: { type }, text: '' }] }) as unknown as CommittedChange),
    );
  return { commit, told, sought, most: () => most };
}

const until = (list: readonly unknown[], length: number): Promise<unknown> =>
  waitFor(() => list.length >= length || undefined, { what: `${length} of them` });
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

describe('who the other party of a call is', () => {
  it('is the likeliest of those who have the number', async () => {
    const { commit, told } = keeper([card('1', '+14155550123', { kind: 'company' }), card('2', '415-555-0123')]);
    const call = callDocument();
    commit('call.started', call);
    await until(told, 1);
    expect(told).toEqual([{ callId: call.id, contact: '2', owner: null }]);
  });

  it('is found with its owner, who is an agent where just one can be meant', async () => {
    const mine = card('1', '+14155550123', { ownerId: 'u1' });
    const [alice, bob] = ['alice', 'bob'].map((id) => ({ id, email: null, userId: 'u1', endpoints: [] }));
    const one = keeper([mine], { agents: [alice!] });
    one.commit('call.started', callDocument());
    await until(one.told, 1);
    expect(one.told[0]?.owner).toEqual({ userId: 'u1', name: null, agentId: 'alice' });
    const several = keeper([mine], { agents: [alice!, bob!] });
    several.commit('call.started', callDocument());
    await until(several.told, 1);
    expect(several.told[0]?.owner).toEqual({ userId: 'u1', name: null, agentId: null });
  });

  it('is sought by the agent who talks', async () => {
    const { commit, sought } = keeper([]);
    const rang = {
      number: null,
      device: 'PJSIP/a',
      role: 'rang',
      ringingAt: null,
      leftAt: null,
      talkSeconds: 0,
    } as const;
    const at = '2026-03-01T10:00:00.000Z';
    const [idle, talking] = [newId(), newId()];
    const participants = [
      { ...rang, agentId: idle, answeredAt: null },
      { ...rang, agentId: talking, answeredAt: at },
    ];
    const call = callDocument({ participants });
    commit('call.answered', call);
    await until(sought, 1);
    expect(sought).toEqual([`${call.tenantId} ${talking}`]);
  });

  it.each<[what: string, call: Partial<Call>, type: CallEventType]>([
    ['a colleague', { direction: 'internal' }, 'call.started'],
    ['of a call that became part of another', { mergedInto: newId() }, 'call.ended'],
    ['while it only rings', {}, 'call.ringing'],
    [
      'known',
      { contact: { connectionId, type: 'card', id: '1', kind: 'contact', name: 'x', company: null, url: null } },
      'call.answered',
    ],
  ])('is not sought: %s', async (_, changes, type) => {
    const { commit, sought } = keeper([card('1', '+14155550123')]);
    commit(type, callDocument(changes));
    await pause();
    expect(sought).toEqual([]);
  });

  it('is not told where it is a guess, nor over what was told meanwhile', async () => {
    const guess = keeper([card('1', '555-0123')]);
    guess.commit('call.started', callDocument());
    const late = keeper([card('1', '+14155550123')], { found: { contact: {} } });
    late.commit('call.started', callDocument());
    await Promise.all([until(guess.sought, 1), until(late.sought, 1)]);
    await pause();
    expect([guess.told, late.told]).toEqual([[], []]);
  });

  it('is sought for two calls at a time, for each once, and a failure of one is not the next one’s', async () => {
    const { commit, sought, most } = keeper(new Error('no database'));
    const calls = Array.from({ length: 20 }, () => callDocument());
    commit('call.started', ...calls);
    commit('call.answered', ...calls.slice(10));
    await until(sought, 20);
    await pause();
    expect([sought.length, most()]).toEqual([20, 2]);
  });

  it('of a flood of calls is left for their next event, the oldest first', async () => {
    const { commit, sought } = keeper([]);
    const calls = Array.from({ length: 1_100 }, () => callDocument());
    commit('call.started', ...calls);
    await until(sought, 1_000);
    await pause();
    expect(sought.length).toBe(1_000);
    expect(sought.at(-1)).toBe(`${calls.at(-1)?.tenantId} `);
  });
});
