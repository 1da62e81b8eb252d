import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';
import { newId } from '../../src/common/ids.js';
import { ContactIndex } from '../../src/contacts/contact-index.js';
import { linksInWords } from '../../src/crm/sync/links-in-words.js';
import type { CrmCapabilities } from '../../src/crm/port/crm-adapter.js';
import type { CrmContact } from '../../src/crm/port/crm-objects.js';
import type { Failure } from '../../src/crm/port/verdict.js';
import { callDocument } from '../../lab/call-document.js';
import { participant } from '../support/call-document.js';
import { callOf, CrmWorld, next, type ToyConnection } from '../support/crm-world.js';
import { startDatabaseServer } from '../support/database.js';
import type { Fate } from './crm-toy.js';

let lab: Lab;
let world: CrmWorld;
let tenantId: string;
let agentId: string;
beforeAll(async () => {
  lab = await startDatabaseServer();
  world = await CrmWorld.start(await lab.postgres.createDatabase());
});
afterAll(async () => {
  await world?.stop();
  await lab?.stop();
});
beforeEach(async () => {
  tenantId = await world.writer.addTenant();
  agentId = await world.addAgent(tenantId, {
    name: 'Alice',
    email: 'alice@acme.example',
    endpoint: `alice-${newId()}`,
  });
});
afterEach(() => world.stopWorkers());

const lost: Failure = { verdict: 'retry', why: 'no answer came', mayBeDone: true };
const carol: CrmContact = {
  type: 'Contact',
  id: 'c1',
  kind: 'contact',
  name: 'Carol',
  company: null,
  ownerId: 'u9',
  numbers: ['+14155550123'],
  url: null,
};

/** Alice in the CRM, and Carol unless she is unknown. */
async function connect(
  options: Parameters<CrmWorld['connect']>[1] & { isKnown?: boolean } = {},
): Promise<ToyConnection> {
  const connection = await world.connect(tenantId, options);
  const alice = { id: 'u1', name: 'Alice', email: 'ALICE@acme.example', extension: null, isActive: true };
  connection.crm.users.push(alice);
  if (options.isKnown !== false) connection.crm.contacts.push(carol);
  return connection;
}

const at = (seconds: number, from = Date.now() - 600_000): string => new Date(from + seconds * 1000).toISOString();

function ringing(changes: Partial<Call> = {}): Call {
  const startedAt = at(0);
  const participants = [participant(agentId, { role: 'rang', ringingAt: startedAt })];
  return callOf(tenantId, { status: 'ringing', ringingAt: startedAt, startedAt, participants, ...changes });
}

function answered(call: Call, changes: Partial<Call> = {}): Call {
  const answeredAt = at(5, Date.parse(call.startedAt));
  const participants = [participant(agentId, { role: 'answered', ringingAt: call.startedAt, answeredAt })];
  return next(call, { status: 'answered', answeredAt, waitSeconds: 5, participants, ...changes });
}

function ended(call: Call, changes: Partial<Call> = {}): Call {
  const isTalk = call.answeredAt !== null;
  return next(call, {
    status: 'ended',
    endedAt: at(65, Date.parse(call.startedAt)),
    outcome: isTalk ? 'answered' : 'missed',
    outcomeReason: isTalk ? 'talked' : 'caller-gave-up',
    hangup: { by: 'remote', q850: 16, sip: null, text: null },
    durationSeconds: 65,
    talkSeconds: isTalk ? 60 : 0,
    participants: call.participants.map((one) => ({ ...one, talkSeconds: isTalk ? 60 : 0 })),
    ...changes,
  });
}

/** A call that was answered and has ended, told at once. */
async function commitEnded(changes: Partial<Call> = {}): Promise<Call> {
  const call = ended(answered(ringing(changes)));
  await world.commit(call, 'call.started', 'call.answered', 'call.ended');
  return call;
}

const ready = (id: string): Call['recordings'] => [
  { id, state: 'ready', startedAt: at(5), durationSeconds: 60, failure: null },
];

describe('a call that is brought to a CRM', () => {
  it('is found, popped, opened, updated and closed in this order, and is one object', async () => {
    const connection = await connect();
    const { crm } = connection;
    const worker = world.worker();
    const call = ringing();
    await world.commit(call, 'call.started');
    worker.nudge([tenantId]);
    await world.settled(connection, call.id);
    expect(crm.pops).toEqual([{ callId: call.id, userIds: ['u1'] }]);
    expect(crm.callsOf(call.id)[0]).toMatchObject({ isClosed: false, view: { status: 'ringing', userId: 'u1' } });
    const talking = answered(call);
    await world.commit(talking, 'call.answered');
    await world.settled(connection, call.id);
    expect(crm.callsOf(call.id)[0]?.view.status).toBe('talking');
    const over = ended(talking, { note: 'wants an offer' });
    await world.commit(over, 'call.ended');
    const row = await world.settled(connection, call.id);
    expect(crm.stepsOf(call.id)).toEqual(['popScreen', 'openCall', 'updateCall', 'closeCall', 'addNote']);
    expect(crm.given.map(({ step }) => step).slice(0, 2)).toEqual(['listUsers', 'findContacts']);
    expect(crm.calls).toHaveLength(1);
    expect(crm.calls[0]).toMatchObject({
      isClosed: true,
      notes: ['wants an offer'],
      view: {
        contact: { type: 'Contact', id: 'c1' },
        userId: 'u1',
        people: [{ userId: 'u1', name: 'Alice', part: 'answered', talkSeconds: 60 }],
        number: { e164: '+14155550123', national: '(415) 555-0123', digits: '14155550123' },
      },
    });
    expect(row).toMatchObject({
      has: 3,
      attempts: 0,
      failure: null,
      links: { isClosed: true, note: 'wants an offer' },
    });
  });

  const ways: readonly (readonly [string, Partial<CrmCapabilities>])[] = [
    ['is opened and found again', { idempotency: 'find' }],
    ['is opened under a key', { idempotency: 'key' }],
    ['is told once and found again', { live: false, updateAfterClose: false, idempotency: 'find' }],
    ['is told once under a key', { live: false, updateAfterClose: false, idempotency: 'key' }],
  ];
  const fates: readonly Fate[] = [
    lost,
    { after: lost },
    { verdict: 'retry', why: 'not now' },
    { verdict: 'rate-limited', why: 'too fast', afterMs: 10 },
    'killed-before',
    'killed-after',
  ];
  it.each(ways)('is one object whatever step is lost or killed, where it %s', async (_name, capabilities) => {
    const connection = await connect({
      capabilities,
      isKnown: false,
      rules: {
        recordings: 'upload',
        unknownCallers: [{ make: 'lead', when: 'always' }],
        missedCalls: { task: 'user', userId: 'u5' },
      },
    });
    const { crm } = connection;
    const steps = ['findContacts', 'createObject', 'openCall', 'updateCall', 'closeCall', 'attachRecording', 'addNote'];
    const plan = new Map<string, { readonly step: string; readonly fate: Fate; met: boolean }>();
    crm.fate = (step, call, times) => {
      const of = call === null ? undefined : plan.get(call.id);
      if (of === undefined || of.step !== step || times > 1) return null;
      of.met = true;
      return of.fate;
    };
    // Killed syncs hold their places for ever; a claim outlasts any step that is only slow.
    const limits = { perConnection: { live: 500, late: 500 }, perTenant: 1_000, total: 1_000 };
    const worker = world.worker({ limits, store: { claimSeconds: 3 } });
    const calls: Call[] = [];
    for (const step of steps) {
      for (const fate of fates) {
        const digits = `1415555${String(1000 + calls.length)}`;
        const remote = { raw: `+${digits}`, e164: `+${digits}`, name: null };
        const call = ringing({ remote, from: remote });
        plan.set(call.id, { step, fate, met: false });
        calls.push(call);
      }
    }
    await Promise.all(calls.map((call) => world.commit(call, 'call.started')));
    worker.nudge([tenantId]);
    for (const call of calls) await world.settled(connection, call.id);
    const talking = calls.map((call) => answered(call));
    await Promise.all(talking.map((call) => world.commit(call, 'call.answered')));
    // Else what a call was meanwhile might not be told at all.
    for (const call of talking) await world.settled(connection, call.id);
    const over = await Promise.all(
      talking.map(async (call) => {
        const recordingId = await world.addRecording(call);
        return ended(call, { note: 'a note', recordings: ready(recordingId) });
      }),
    );
    await Promise.all(over.map((call) => world.commit(call, 'call.ended')));
    worker.nudge([tenantId]);
    for (const call of over) {
      await world.settled(connection, call.id);
      const about = JSON.stringify(plan.get(call.id));
      expect(crm.callsOf(call.id), about).toHaveLength(1);
      expect(crm.callsOf(call.id)[0], about).toMatchObject({
        isClosed: true,
        recordings: [call.recordings[0]?.id],
        view: { status: 'ended', outcome: 'answered', talkSeconds: 60 },
      });
      // Of what the CRM cannot find again, one too many is better than none.
      expect(crm.callsOf(call.id)[0]?.notes.length, about).toBeGreaterThanOrEqual(1);
      expect(
        crm.created.filter(({ digits }) => `+${digits}` === call.remote.e164),
        about,
      ).toHaveLength(1);
    }
    const met = [...plan.values()].filter((one) => one.met).map(({ step }) => step);
    const never = capabilities.live === false ? ['findContacts', 'openCall', 'updateCall'] : ['findContacts'];
    expect(new Set(met)).toEqual(new Set(steps.filter((step) => !never.includes(step))));
    expect(met).toHaveLength((steps.length - never.length) * fates.length);
    expect(crm.mostStepsOfOneCall).toBe(1);
    expect(crm.mostCalls).toBeGreaterThan(1);
  });

  it('is opened again under its key as long as nobody knows whether it was, though it has ended', async () => {
    const connection = await connect({ capabilities: { idempotency: 'key', pop: false } });
    const limited: Failure = { verdict: 'rate-limited', why: 'too fast', afterMs: 50 };
    const call = ringing();
    await world.commit(call, 'call.started');
    let isEnded = false;
    connection.crm.fate = (step, _call, times) => {
      if (step !== 'openCall') return null;
      if (times === 1) return { after: lost };
      return isEnded && times > 2 ? null : limited;
    };
    const worker = world.worker();
    await waitFor(async () => (await world.row(connection, call.id))?.failure === 'too fast', {
      what: 'the second try to be held back',
    });
    await world.commit(ended(call), 'call.ended');
    isEnded = true;
    worker.nudge([tenantId]);
    await world.settled(connection, call.id);
    expect(connection.crm.stepsOf(call.id).filter((step, i, all) => step !== all[i - 1])).toEqual([
      'openCall',
      'closeCall',
    ]);
    expect(connection.crm.callsOf(call.id)).toHaveLength(1);
  });

  it('gets a changed note beside it once, and a late correction', async () => {
    const connection = await connect();
    const worker = world.worker();
    const call = await commitEnded({ note: 'first' });
    worker.nudge([tenantId]);
    await world.settled(connection, call.id);
    const noted = next(call, { note: 'second', tags: ['vip'] });
    await world.commit(noted, 'call.updated');
    worker.nudge([tenantId]);
    await world.settled(connection, call.id);
    // Nothing that a CRM could see.
    const same = next(noted, { sipCallIds: ['x'] });
    await world.commit(same, 'call.updated');
    worker.nudge([tenantId]);
    await world.settled(connection, call.id);
    expect(connection.crm.calls[0]).toMatchObject({ notes: ['first', 'second'], view: { tags: ['vip'] } });
    expect(connection.crm.stepsOf(call.id)).toEqual(['closeCall', 'addNote', 'updateCall', 'addNote']);
  });

  it('goes on where the CRM has no place for its note, and says so', async () => {
    const connection = await connect();
    connection.crm.hasPlaceForNotes = false;
    const call = await commitEnded({ note: 'Calls back on Monday' });
    world.worker().nudge([tenantId]);
    const { links } = await world.settled(connection, call.id);
    expect(links).toMatchObject({ isClosed: true, note: 'Calls back on Monday', notePlace: 'no-place' });
    expect(linksInWords(links)).toContainEqual(expect.stringContaining('the note is in Ringline alone'));
    expect(connection.crm.stepsOf(call.id).filter((step) => step === 'addNote')).toHaveLength(1);
  });

  it('is not told where its rules do not want it', async () => {
    const connection = await connect({ rules: { log: { unanswered: false } } });
    const worker = world.worker();
    const call = ringing();
    await world.commit(call, 'call.started');
    await world.commit(ended(call), 'call.ended');
    const internal = ended(answered(ringing({ direction: 'internal' })));
    await world.commit(internal, 'call.ended');
    worker.nudge([tenantId]);
    await world.settled(connection, call.id);
    await world.settled(connection, internal.id);
    expect(connection.crm.calls).toEqual([]);
  });

  it('gets its recording as a link that is written down, and is not made again once it was revoked', async () => {
    const connection = await connect();
    const worker = world.worker();
    const call = await commitEnded();
    const recordingId = await world.addRecording(call);
    const recorded = next(call, { recordings: ready(recordingId) });
    await world.commit(recorded, 'call.recording.ready');
    worker.nudge([tenantId]);
    await world.settled(connection, call.id);
    expect(connection.crm.calls[0]?.recordings).toEqual([recordingId]);
    const audit = await world.query<{ action: string; actor: string | null }[]>(
      'select action, actor_key_id as actor from audit_entry where tenant_id = $1',
      [tenantId],
    );
    expect(audit).toEqual([{ action: 'recording.link-created', actor: null }]);
    await world.commit(next(recorded, { tags: ['a'] }), 'call.updated');
    worker.nudge([tenantId]);
    await world.settled(connection, call.id);
    expect(connection.crm.calls[0]?.view.recordingUrl).toMatch(
      /^http:\/\/ringline\.test\/v1\/recording-links\/rlc_[\w-]{43}$/,
    );
    await world.query('delete from recording_link where recording_id = $1', [recordingId]);
    await world.commit(next(recorded, { tags: ['b'] }, 2), 'call.updated');
    worker.nudge([tenantId]);
    await world.settled(connection, call.id);
    expect(connection.crm.calls[0]?.view).toMatchObject({ tags: ['b'], recordingUrl: null });
    expect(await world.query('select 1 from recording_link where recording_id = $1', [recordingId])).toEqual([]);
  });

  it('gets its recording as bytes where the connection wants that', async () => {
    const connection = await connect({ rules: { recordings: 'upload' } });
    const call = await commitEnded();
    const recordingId = await world.addRecording(call);
    await world.commit(next(call, { recordings: ready(recordingId) }), 'call.recording.ready');
    world.worker();
    await world.settled(connection, call.id);
    expect(connection.crm.uploads.map((bytes) => Buffer.from(bytes).toString())).toEqual(['sound']);
    expect(world.purposes).toContain('recording');
  });

  it.each([
    ['is removed there', true],
    ['is closed there', false],
  ])('that merged into another %s', async (_name, remove) => {
    const connection = await connect({ capabilities: { remove } });
    const worker = world.worker();
    const call = ringing();
    await world.commit(call, 'call.started');
    worker.nudge([tenantId]);
    await world.settled(connection, call.id);
    const other = newId();
    await world.commit(next(call, { status: 'ended', endedAt: at(9), mergedInto: other }), 'call.merged');
    worker.nudge([tenantId]);
    const row = await world.settled(connection, call.id);
    if (remove) expect([connection.crm.calls, row.links.isRemoved]).toEqual([[], true]);
    else {
      expect(connection.crm.calls[0]).toMatchObject({ isClosed: true });
      expect(connection.crm.calls[0]?.view.summary).toContain(other);
    }
  });

  it('is made anew once when somebody removed it there, and then fails', async () => {
    const connection = await connect();
    const worker = world.worker();
    const call = await commitEnded();
    worker.nudge([tenantId]);
    await world.settled(connection, call.id);
    connection.crm.calls.length = 0;
    const tagged = next(call, { tags: ['a'] });
    await world.commit(tagged, 'call.updated');
    worker.nudge([tenantId]);
    await world.settled(connection, call.id);
    expect(connection.crm.calls).toHaveLength(1);
    connection.crm.calls.length = 0;
    await world.commit(next(tagged, { tags: ['b'] }), 'call.updated');
    worker.nudge([tenantId]);
    const row = await world.settled(connection, call.id, 'failed');
    expect(row).toMatchObject({ failedStep: 'updateCall', failure: expect.stringContaining('there is no call') });
    expect(connection.crm.calls).toEqual([]);
  });
});

describe('a tenant', () => {
  it('is served from the moment at which its first CRM is connected', async () => {
    const other = await connect();
    const before = await commitEnded();
    const worker = world.worker({ limits: { sweepMs: 3_600_000 } });
    await world.settled(other, before.id);
    tenantId = await world.writer.addTenant();
    const connection = await connect();
    worker.connectionsChanged();
    const call = await commitEnded();
    worker.nudge([tenantId]);
    expect((await world.settled(connection, call.id)).links.isClosed).toBe(true);
  });
});

describe('a caller whom the CRM does not know', () => {
  it('becomes what the first rule makes of him, before the call is opened, once', async () => {
    const lineId = newId();
    const rules = {
      unknownCallers: [
        { lineIds: [newId()], make: 'contact' },
        { lineIds: [lineId], make: 'lead' },
      ],
    };
    const connection = await connect({ isKnown: false, rules });
    const worker = world.worker();
    const call = ringing({ line: { id: lineId, number: '+4930123456', name: 'Sales' } });
    await world.commit(call, 'call.started');
    worker.nudge([tenantId]);
    await world.settled(connection, call.id);
    await world.commit(ended(answered(call)), 'call.answered', 'call.ended');
    worker.nudge([tenantId]);
    await world.settled(connection, call.id);
    expect(connection.crm.created).toEqual([{ kind: 'lead', digits: '14155550123' }]);
    expect(connection.crm.stepsOf(call.id)).toEqual(['createObject', 'popScreen', 'openCall', 'closeCall']);
    expect(connection.crm.calls[0]?.view.contact).toEqual({ type: 'lead', id: 'lead-1' });
  });

  it.each(['retry', 'rejected', 'lost', 'throws'] as const)(
    'is shown all the same when nothing can be made of him: %s',
    async (how) => {
      const connection = await connect({ isKnown: false, rules: { unknownCallers: [{ make: 'lead' }] } });
      const { crm } = connection;
      crm.fate = (step, _call, times): Fate => {
        if (step !== 'createObject' || times > 1) return null;
        if (how === 'throws') return 'throws';
        if (how === 'rejected') return { verdict: 'rejected', why: 'A field is wanted.' };
        return how === 'retry'
          ? { verdict: 'retry', why: 'Down.' }
          : { after: { verdict: 'retry', why: 'No answer.', mayBeDone: true } };
      };
      const worker = world.worker();
      const call = ringing();
      await world.commit(call, 'call.started');
      worker.nudge([tenantId]);
      await world.settled(connection, call.id);
      const steps = crm.stepsOf(call.id);
      expect(steps.slice(0, 2)).toEqual(['createObject', 'popScreen']);
      expect(crm.pops).toEqual([{ callId: call.id, userIds: ['u1'] }]);
      expect(steps.at(-1)).toBe('openCall');
    },
  );

  it('is nobody when he hides his number', async () => {
    const connection = await connect({ isKnown: false, rules: { unknownCallers: [{ make: 'lead' }] } });
    const remote = { raw: 'anonymous', e164: null, name: null };
    const call = await commitEnded({ remote, from: remote });
    world.worker();
    await world.settled(connection, call.id);
    expect(connection.crm.created).toEqual([]);
    expect(connection.crm.given.map(({ step }) => step)).not.toContain('findContacts');
    expect(connection.crm.calls[0]?.view.number).toEqual({ raw: '', e164: null, national: null, digits: '' });
  });

  it('becomes one lead, though he calls twice before the CRM finds what was made of him', async () => {
    const connection = await connect({ isKnown: false, rules: { unknownCallers: [{ make: 'lead' }] } });
    const { crm } = connection;
    crm.isSlowToFind = true;
    const calls = [ended(ringing()), ended(ringing()), ended(ringing())];
    for (const call of calls) await world.commit(call, 'call.started', 'call.ended');
    world.worker();
    world.worker();
    for (const { id } of calls) await world.settled(connection, id);
    expect(crm.created).toEqual([{ kind: 'lead', digits: '14155550123' }]);
    for (const { id } of calls) expect(crm.callsOf(id)[0]?.view.contact).toEqual({ type: 'lead', id: 'lead-1' });
  });
});

describe('whose number it is', () => {
  const dave: CrmContact = { ...carol, id: 'c2', name: 'Dave', ownerId: null };

  async function pick(connection: ToyConnection, call: Call, { type, id }: CrmContact): Promise<void> {
    await world.query(
      `insert into contact_pick (tenant_id, call_id, connection_id, number, type, id, picked_at)
       values ($1, $2, $3, $4, $5, $6, clock_timestamp())`,
      [tenantId, call.id, connection.id, call.remote.e164, type, id],
    );
    await world.query(
      `update crm_sync set state = 'due', next_attempt_at = now() where connection_id = $1 and call_id = $2`,
      [connection.id, call.id],
    );
  }

  it('is what an agent says, for the call and for the next ones of the number', async () => {
    const connection = await connect();
    const { crm } = connection;
    crm.contacts.push(dave);
    const call = await commitEnded();
    world.worker();
    await world.settled(connection, call.id);
    expect(crm.callsOf(call.id)[0]?.view.contact).toEqual({ type: 'Contact', id: 'c1' });
    await pick(connection, call, dave);
    await world.settled(connection, call.id);
    expect(crm.callsOf(call.id)).toMatchObject([{ view: { contact: { type: 'Contact', id: 'c2' } } }]);
    const later = await commitEnded();
    await world.settled(connection, later.id);
    expect(crm.callsOf(later.id)[0]?.view.contact).toEqual({ type: 'Contact', id: 'c2' });
    expect(crm.given.filter(({ step }) => step === 'findContacts')).toHaveLength(1);
  });

  it('is taken from the index where the CRM tells what changes, and asked for elsewhere', async () => {
    const [listed, searched] = [
      await connect({ isKnown: false, capabilities: { contactSync: true } }),
      await connect({ capabilities: { contactSync: false } }),
    ];
    const index = new ContactIndex(world.database.source);
    await index.upsertContacts({ tenantId, id: listed.id }, [dave]);
    const call = await commitEnded();
    world.worker();
    await world.settled(listed, call.id);
    await world.settled(searched, call.id);
    expect(listed.crm.callsOf(call.id)[0]?.view.contact).toEqual({ type: 'Contact', id: 'c2' });
    expect(listed.crm.given.map(({ step }) => step)).not.toContain('findContacts');
    expect(searched.crm.callsOf(call.id)[0]?.view.contact).toEqual({ type: 'Contact', id: 'c1' });
  });

  it('is asked of the CRM once more when whom the index has is gone there', async () => {
    const connection = await connect({ capabilities: { contactSync: true, live: false } });
    const { crm } = connection;
    const index = new ContactIndex(world.database.source);
    await index.upsertContacts({ tenantId, id: connection.id }, [dave]);
    const gone: Failure = { verdict: 'gone', why: 'there is no contact c2' };
    crm.fate = (step, view) => (step === 'closeCall' && view?.contact?.id === 'c2' ? gone : null);
    const call = await commitEnded();
    world.worker();
    await world.settled(connection, call.id);
    expect(crm.callsOf(call.id)).toMatchObject([{ view: { contact: { type: 'Contact', id: 'c1' } } }]);
    const known: { id: string }[] = await world.query('select id from contact where connection_id = $1', [
      connection.id,
    ]);
    expect(known).toEqual([{ id: 'c1' }]);
  });
});

describe('a missed call', () => {
  const rules = { missedCalls: { task: 'owner', userId: 'u5', dueMinutes: 30 } };

  it('is a task of the contact’s owner, closed when somebody calls back and talks', async () => {
    const connection = await connect({ rules });
    const { crm } = connection;
    const worker = world.worker();
    const call = ringing();
    const missed = ended(call);
    await world.commit(missed, 'call.started', 'call.ended');
    worker.nudge([tenantId]);
    await world.settled(connection, call.id);
    expect(crm.tasks).toHaveLength(1);
    expect(crm.tasks[0]).toMatchObject({
      isClosed: false,
      task: { userId: 'u9', subject: 'Call back Carol (+14155550123)' },
    });
    expect(crm.tasks[0]?.task.dueAt.toISOString()).toBe(at(30 * 60, Date.parse(missed.endedAt ?? '')));
    const again = ringing({ startedAt: at(100) });
    await world.commit(ended(again), 'call.started', 'call.ended');
    worker.nudge([tenantId]);
    await world.settled(connection, again.id);
    expect(crm.tasks.map(({ isClosed }) => isClosed)).toEqual([false, false]);
    const back = answered(ringing({ startedAt: at(200), direction: 'outbound' }));
    await world.commit(back, 'call.started', 'call.answered');
    worker.nudge([tenantId]);
    await waitFor(() => Promise.resolve(crm.tasks.every(({ isClosed }) => isClosed)), {
      what: 'the tasks to be closed',
    });
    expect(crm.tasks[0]?.closedWith).toContain('Carol');
    expect((await world.settled(connection, call.id)).links.task).toEqual({ id: crm.tasks[0]?.id, isClosed: true });
  });

  it('is no task when somebody has talked before the CRM could be told', async () => {
    const connection = await connect({ rules, status: 'paused' });
    await world.commit(ended(ringing()), 'call.ended');
    await world.commit(answered(ringing({ startedAt: at(200) })), 'call.answered');
    await world.query(`update crm_connection set status = 'enabled' where id = $1`, [connection.id]);
    world.worker();
    await waitFor(() => Promise.resolve(connection.crm.calls.length === 2), { what: 'both calls to be told' });
    await waitFor(
      async () =>
        (
          await world.query<unknown[]>(`select 1 from crm_sync where connection_id = $1 and state <> 'done'`, [
            connection.id,
          ])
        ).length === 0,
      { what: 'nothing to be due' },
    );
    expect(connection.crm.tasks).toEqual([]);
  });

  it('is no task when it is over for more than a day', async () => {
    const connection = await connect({ rules });
    const startedAt = new Date(Date.now() - 30 * 3_600_000).toISOString();
    const call = ended(ringing({ startedAt }));
    await world.commit(call, 'call.ended');
    world.worker();
    await world.settled(connection, call.id);
    expect(connection.crm.calls).toHaveLength(1);
    expect(connection.crm.tasks).toEqual([]);
  });
});

describe('a CRM that does not take a call', () => {
  it('has it failed with step and words when it refuses, until the call changes', async () => {
    const connection = await connect();
    connection.crm.fate = (step, _call, times) =>
      step === 'closeCall' && times === 1 ? { verdict: 'rejected', why: 'The field Foo is required.' } : null;
    const call = await commitEnded();
    const worker = world.worker();
    const row = await world.settled(connection, call.id, 'failed');
    expect(row).toMatchObject({
      failedStep: 'closeCall',
      failure: 'The field Foo is required.',
      links: { contact: { id: 'c1' } },
    });
    expect(row.links.begun).toBeUndefined();
    await world.commit(next(call, { tags: ['a'] }), 'call.updated');
    worker.nudge([tenantId]);
    await world.settled(connection, call.id);
    expect(connection.crm.calls).toHaveLength(1);
  });

  it('has it failed, and others not, when its adapter has a defect', async () => {
    const connection = await connect();
    const call = await commitEnded();
    const other = await commitEnded();
    connection.crm.fate = (step, of) => (step === 'closeCall' && of?.id === call.id ? 'throws' : null);
    world.worker();
    await world.settled(connection, other.id);
    expect(await world.settled(connection, call.id, 'failed')).toMatchObject({ failedStep: 'closeCall' });
    expect(world.logged.some(({ msg }) => msg === 'a step of a CRM sync threw')).toBe(true);
  });

  it('gets it again later and later, and at last it is given up', async () => {
    const connection = await connect();
    connection.crm.fate = (step) => (step === 'closeCall' ? { verdict: 'retry', why: 'It answered 502' } : null);
    const call = await commitEnded();
    const failures: number[] = [];
    world.worker({ times: { retryMs: (count) => (failures.push(count), 5) } });
    await waitFor(() => Promise.resolve(failures.length > 4), { what: 'some failures' });
    expect(failures.slice(0, 4)).toEqual([1, 2, 3, 4]);
    await world.query(`update crm_sync set failing_since = now() - interval '4 days' where call_id = $1`, [call.id]);
    const row = await world.settled(connection, call.id, 'failed');
    expect(row).toMatchObject({ failedStep: 'closeCall', failure: 'It answered 502' });
  });

  it('that asks to wait is asked no earlier, and that counts as no failure', async () => {
    const connection = await connect();
    connection.crm.fate = (step) =>
      step === 'closeCall' ? { verdict: 'rate-limited', why: 'too fast', afterMs: 60_000 } : null;
    const call = await commitEnded();
    world.worker();
    await waitFor(async () => (await world.row(connection, call.id))?.failure === 'too fast', {
      what: 'the limit to be met',
    });
    const row = await world.row(connection, call.id);
    expect(row).toMatchObject({ state: 'due', attempts: 0 });
    expect(row?.waitMs).toBeGreaterThan(50_000);
    expect(connection.crm.stepsOf(call.id)).toEqual(['closeCall']);
  });

  it('and refuses its credentials for good is disabled, and goes on where it was when it is enabled', async () => {
    const connection = await connect();
    const refused: Failure = { verdict: 'credentials-refused', why: 'The token was revoked.' };
    connection.crm.fate = () => refused;
    const call = await commitEnded();
    world.worker({ store: { refusals: { times: 3, seconds: 0 } } });
    type Status = { status: string; reason: string | null };
    const status = async (): Promise<Status | undefined> =>
      (
        await world.query<Status[]>('select status, status_reason as reason from crm_connection where id = $1', [
          connection.id,
        ])
      )[0];
    await waitFor(async () => (await status())?.status === 'disabled', { what: 'the connection to be disabled' });
    expect((await status())?.reason).toBe('The CRM refuses its credentials: The token was revoked.');
    expect(connection.crm.given.length).toBeGreaterThanOrEqual(3);
    const during = await commitEnded();
    connection.crm.fate = () => null;
    expect((await world.row(connection, call.id))?.state).toBe('due');
    await world.query(`update crm_connection set status = 'enabled', status_reason = null where id = $1`, [
      connection.id,
    ]);
    await world.settled(connection, call.id);
    await world.settled(connection, during.id);
    expect(connection.crm.calls).toHaveLength(2);
    const audit = await world.query<{ action: string }[]>('select action from audit_entry where target_id = $1', [
      connection.id,
    ]);
    expect(audit).toEqual([{ action: 'crm-connection.disabled' }]);
  });

  it('and refuses its credentials now and then stays enabled', async () => {
    const connection = await connect();
    const refused: Failure = { verdict: 'credentials-refused', why: 'no' };
    connection.crm.fate = (step, _call, times) => (step === 'closeCall' && times < 3 ? refused : null);
    const calls = [await commitEnded()];
    world.worker({ store: { refusals: { times: 3, seconds: 0 } } });
    for (const call of calls) await world.settled(connection, call.id);
    const again = await commitEnded();
    await world.settled(connection, again.id);
    const [row] = await world.query<{ status: string; refusals: number }[]>(
      'select status, refusals from crm_connection where id = $1',
      [connection.id],
    );
    expect(row).toEqual({ status: 'enabled', refusals: 0 });
  });
});

describe('a connection', () => {
  it('that is paused gets nothing, and all of it when it is enabled', async () => {
    const paused = await connect({ status: 'paused' });
    const enabled = await connect();
    const call = await commitEnded();
    const worker = world.worker();
    await world.settled(enabled, call.id);
    expect(paused.crm.given).toEqual([]);
    await world.query(`update crm_connection set status = 'enabled' where id = $1`, [paused.id]);
    worker.nudge([tenantId]);
    await world.settled(paused, call.id);
    expect(paused.crm.calls).toHaveLength(1);
  });

  it('of another tenant hears nothing of a call, not even that somebody was called back', async () => {
    const rules = { missedCalls: { task: 'user', userId: 'u5' } };
    const mine = await connect({ rules });
    const other = await world.writer.addTenant();
    const theirs = await world.connect(other, { rules });
    const call = ended(ringing());
    await world.commit(call, 'call.ended');
    const worker = world.worker();
    await world.settled(mine, call.id);
    const back = callDocument({ tenantId: other, status: 'answered', answeredAt: at(99), startedAt: at(98) });
    await world.commit(back, 'call.answered');
    worker.nudge([other]);
    await world.settled(theirs, back.id);
    expect(theirs.crm.callsOf(call.id)).toEqual([]);
    expect(mine.crm.callsOf(back.id)).toEqual([]);
    expect(mine.crm.tasks).toMatchObject([{ isClosed: false }]);
  });

  it('is told of a call that goes on though all that is caught up on hangs', async () => {
    const connection = await connect();
    const { crm } = connection;
    const old: string[] = [];
    for (let i = 0; i < 10; i += 1) old.push((await commitEnded()).id);
    await world.query('update crm_sync set priority = 4 where connection_id = $1', [connection.id]);
    crm.fate = (_step, call) => (call !== null && old.includes(call.id) ? 'killed-before' : null);
    const worker = world.worker();
    await waitFor(() => Promise.resolve(crm.given.filter(({ step }) => step === 'closeCall').length >= 4), {
      what: 'the old calls to hang',
    });
    const call = ringing();
    await world.commit(call, 'call.started');
    worker.nudge([tenantId]);
    await world.settled(connection, call.id);
    expect(crm.pops).toEqual([{ callId: call.id, userIds: ['u1'] }]);
    expect(old.flatMap((id) => crm.stepsOf(id))).toEqual(Array.from({ length: 4 }, () => 'closeCall'));
    expect(world.purposes).toEqual(expect.arrayContaining(['backfill', 'pop', 'open']));
  });

  it('that hangs holds up no other, of its tenant or another’s', async () => {
    const hanging = await connect();
    hanging.crm.fate = (step) => (step === 'closeCall' ? 'killed-before' : null);
    const other = await world.writer.addTenant();
    const theirs = await world.connect(other);
    for (let i = 0; i < 30; i += 1) await commitEnded();
    const worker = world.worker({ limits: { total: 20, perTenant: 12 } });
    await waitFor(() => Promise.resolve(hanging.crm.given.filter(({ step }) => step === 'closeCall').length >= 8), {
      what: 'it to hang',
    });
    const call = callDocument({ tenantId: other, status: 'ended', endedAt: at(9), outcome: 'missed' });
    await world.commit(call, 'call.ended');
    worker.nudge([other]);
    await world.settled(theirs, call.id);
    expect(hanging.crm.given.filter(({ step }) => step === 'closeCall')).toHaveLength(8);
  });
});

describe('a worker', () => {
  it('keeps a call for as long as it works on it, and no longer than its process lives', async () => {
    const connection = await connect({ capabilities: { live: false } });
    const { crm } = connection;
    let release: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => (release = resolve));
    const session = crm.session.bind(crm);
    crm.session = (capabilities) => {
      const made = session(capabilities);
      const closeCall: typeof made.closeCall = async (id, call) => {
        await slow;
        return made.closeCall(id, call);
      };
      return { ...made, closeCall };
    };
    const call = await commitEnded();
    const claims = { store: { claimSeconds: 1 }, limits: { renewMs: 200 } };
    world.worker(claims);
    const claimOf = async (): Promise<string | undefined> =>
      (
        await world.query<{ claimedBy: string }[]>(
          `select claimed_by as "claimedBy" from crm_sync where call_id = $1 and claim_until > now()`,
          [call.id],
        )
      )[0]?.claimedBy;
    const claimed = await waitFor(claimOf, { what: 'the call to be claimed' });
    world.worker(claims);
    // Longer than a claim holds by itself.
    await waitFor(
      async () => {
        const [row] = await world.query<{ isOld: boolean }[]>(
          `select updated_at < now() - interval '2 s' as "isOld" from crm_sync where call_id = $1`,
          [call.id],
        );
        return row?.isOld === true;
      },
      { what: 'the step to take long' },
    );
    expect(await claimOf()).toBe(claimed);
    release();
    await world.settled(connection, call.id);
    expect(crm.stepsOf(call.id)).toEqual(['closeCall']);
  });

  it('that is stopped waits for open steps, stores them and gives its claims back', async () => {
    const connection = await connect();
    let release: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => (release = resolve));
    const session = connection.crm.session.bind(connection.crm);
    connection.crm.session = (capabilities) => {
      const made = session(capabilities);
      return {
        ...made,
        openCall: async (call) => {
          await slow;
          return made.openCall?.(call) ?? { verdict: 'rejected', why: 'no' };
        },
      };
    };
    const call = ringing();
    await world.commit(call, 'call.started');
    const worker = world.worker();
    await waitFor(async () => (await world.row(connection, call.id))?.links.begun === 'openCall', {
      what: 'the step to begin',
    });
    await world.commit(ended(answered(call)), 'call.answered', 'call.ended');
    const stopped = worker.stop();
    release();
    await stopped;
    const row = await world.row(connection, call.id);
    expect(row).toMatchObject({ state: 'due', links: { remoteId: connection.crm.calls[0]?.id } });
    const [claim] = await world.query<{ claim: string | null }[]>(
      'select claimed_by as claim from crm_sync where call_id = $1',
      [call.id],
    );
    expect(claim).toEqual({ claim: null });
    expect(connection.crm.calls[0]?.isClosed).toBe(false);
  });

  it('that one tenant nudges all the time finds what is due for another', async () => {
    const connection = await connect();
    const worker = world.worker();
    const busy = setInterval(() => worker.nudge([newId()]), 5);
    try {
      await world.settled(connection, (await commitEnded()).id);
      // Nobody tells the worker of this one.
      await world.settled(connection, (await commitEnded()).id);
    } finally {
      clearInterval(busy);
    }
  });

  it('beside another gives no step twice', async () => {
    const connection = await connect();
    world.worker();
    world.worker();
    const calls = await Promise.all(Array.from({ length: 40 }, () => commitEnded()));
    for (const call of calls) await world.settled(connection, call.id);
    for (const call of calls) expect(connection.crm.stepsOf(call.id)).toEqual(['closeCall']);
  });
});
