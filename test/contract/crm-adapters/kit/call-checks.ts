import type { CrmCall } from '../../../../src/crm/port/crm-objects.js';
import { always, type Check } from './check.js';
import { ensure, valueOf, type Scene } from './scene.js';
import { anonymous, isCaller, missed, recording, ringing, sampleCall, sound } from './sample-calls.js';

/** As the engine brings a call to its end. */
async function sync(scene: Scene, call: CrmCall): Promise<string> {
  const session = scene.session();
  const opened = scene.capabilities.live ? valueOf((await session.openCall?.(ringing(call)))!, 'openCall') : null;
  return valueOf(await session.closeCall(opened, call), 'closeCall');
}

function mine(scene: Scene, changes: Partial<CrmCall> = {}): CrmCall {
  return sampleCall({ userId: scene.anna, ...changes });
}

/** Talk or whole length; some vendors hold whole minutes. */
function isLength(seconds: number, call: CrmCall): boolean {
  return [call.talkSeconds, call.durationSeconds].some(
    (length) => seconds === length || (seconds > 0 && seconds % 60 === 0 && Math.abs(seconds - length) < 60),
  );
}

const unicode = '☎️ Žlutý 電話 مرحبا \u202Eabc\u202C 🧑🏽‍💻';

export const callChecks: readonly Check[] = [
  {
    name: 'opens, updates, closes and records one call, in this order',
    applies: ({ live }) => live,
    run: async (scene) => {
      const session = scene.session();
      const call = mine(scene);
      const id = valueOf((await session.openCall?.(ringing(call)))!, 'openCall');
      ensure(scene.call().isOpen, 'an opened call is not open');
      const talking = { ...ringing(call), status: 'talking', answeredAt: call.answeredAt } as const;
      valueOf((await session.updateCall?.(id, talking))!, 'updateCall');
      ensure(scene.call().isOpen, 'an update closed it');
      ensure(valueOf(await session.closeCall(id, call), 'closeCall') === id, 'closing changed its id');
      ensure(!scene.call().isOpen, 'a closed call is open');
      if (session.attachRecording) valueOf(await session.attachRecording(id, call, recording()), 'attachRecording');
      ensure(scene.call().id === id, 'the CRM knows it by another id');
    },
  },
  {
    name: 'closes a call that was not opened',
    applies: always,
    run: async (scene) => {
      const id = valueOf(await scene.session().closeCall(null, mine(scene)), 'closeCall');
      ensure(scene.call().id === id && !scene.call().isOpen, 'it is not there, closed');
    },
  },
  {
    name: 'closes twice what it opened, and there is one',
    applies: ({ live, updateAfterClose }) => live && updateAfterClose,
    run: async (scene) => {
      const call = mine(scene);
      const id = await sync(scene, call);
      const again = valueOf(await scene.session().closeCall(id, call), 'closeCall, again');
      ensure(again === id && scene.call().id === id, 'there is another');
    },
  },
  {
    name: 'makes no second call when it is given the same one again',
    applies: ({ idempotency }) => idempotency === 'key',
    run: async (scene) => {
      const call = mine(scene);
      const first = valueOf(await scene.session().closeCall(null, call), 'closeCall');
      const second = valueOf(await scene.session().closeCall(null, call), 'closeCall, again');
      ensure(first === second && scene.call().id === first, 'a second call was made');
    },
  },
  {
    name: 'opens no second call when it is given the same one again',
    applies: ({ idempotency, live }) => idempotency === 'key' && live,
    run: async (scene) => {
      const call = ringing(mine(scene));
      const first = valueOf((await scene.session().openCall?.(call))!, 'openCall');
      const second = valueOf((await scene.session().openCall?.(call))!, 'openCall, again');
      ensure(first === second && scene.call().id === first, 'a second call was opened');
    },
  },
  {
    name: 'finds the call that it made, and only that',
    applies: ({ idempotency }) => idempotency === 'find',
    run: async (scene) => {
      const [one, other] = [mine(scene), mine(scene)];
      const session = scene.session();
      ensure(valueOf((await session.findCall?.(one))!, 'findCall') === null, 'it found what is not there');
      const id = valueOf(await session.closeCall(null, one), 'closeCall');
      ensure(valueOf((await session.findCall?.(one))!, 'findCall') === id, 'it did not find its call');
      ensure(valueOf((await session.findCall?.(other))!, 'findCall') === null, 'it took a call for another');
    },
  },
  {
    name: 'keeps two calls of one number at one time apart',
    applies: always,
    run: async (scene) => {
      await sync(scene, mine(scene));
      await sync(scene, mine(scene));
      ensure(scene.crm.calls().length === 2, `there are ${scene.crm.calls().length}`);
    },
  },
  {
    name: 'keeps our id of a call',
    applies: always,
    run: async (scene) => {
      const call = mine(scene);
      await sync(scene, call);
      scene.holds('externalId', (id) => id.includes(call.id));
    },
  },
  ...(['inbound', 'outbound'] as const).map((direction): Check => ({
    name: `keeps direction and outside party of an ${direction} call`,
    applies: always,
    run: async (scene) => {
      await sync(scene, mine(scene, { direction }));
      scene.holds('direction', (kept) => kept === direction);
      scene.holds('number', isCaller);
    },
  })),
  {
    name: 'keeps a length in its own unit',
    applies: always,
    run: async (scene) => {
      const call = mine(scene);
      await sync(scene, call);
      scene.holds('seconds', (seconds) => isLength(seconds, call));
    },
  },
  ...(['2026-03-10T09:15:20Z', '2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z', '2026-03-29T01:00:00Z'] as const).map(
    (at): Check => ({
      name: `keeps the instant ${at}, whatever the zone`,
      applies: always,
      run: async (scene) => {
        const after = (seconds: number): Date => new Date(Date.parse(at) + seconds * 1000);
        await sync(scene, mine(scene, { startedAt: after(0), answeredAt: after(25), endedAt: after(150) }));
        scene.holds('startedAt', (kept) => kept.getTime() === Date.parse(at));
      },
    }),
  ),
  {
    name: 'tells an answered call from a missed one',
    applies: always,
    run: async (scene) => {
      await sync(scene, mine(scene));
      scene.holds('wasAnswered', (kept) => kept);
      const answered = scene.call().id;
      await sync(scene, missed({ userId: scene.anna }));
      const other = scene.crm.calls().find(({ id }) => id !== answered);
      ensure(other !== undefined, 'the missed one is not there');
      scene.holds('wasAnswered', (kept) => !kept, other);
    },
  },
  ...(['no-answer', 'busy', 'rejected', 'failed', 'cancelled', 'blocked'] as const).map((outcome): Check => ({
    name: `takes a call with the outcome ${outcome}`,
    applies: always,
    run: async (scene) => {
      await sync(scene, missed({ outcome, direction: 'outbound', userId: scene.anna }));
      scene.holds('wasAnswered', (kept) => !kept);
    },
  })),
  {
    name: 'takes a call of an anonymous caller',
    applies: always,
    run: async (scene) => {
      await sync(scene, mine(scene, { number: anonymous }));
      scene.call();
    },
  },
  {
    name: 'takes an internal call',
    applies: always,
    run: async (scene) => {
      const number = { raw: '204', e164: null, national: null, digits: '204' };
      const call = mine(scene, { direction: 'internal', number, line: null });
      if (scene.entry.refuses?.includes('internal') === true) {
        const { verdict } = await scene.session().closeCall(null, call);
        ensure(verdict === 'rejected' && scene.crm.calls().length === 0, `closeCall gave ${verdict}`);
        return;
      }
      await sync(scene, call);
      scene.call();
    },
  },
  {
    name: 'gives a call to its owner, and the next to another',
    applies: always,
    run: async (scene) => {
      await sync(scene, mine(scene));
      scene.holds('ownerId', (id) => id === scene.anna);
      const first = scene.call().id;
      await sync(scene, mine(scene, { userId: scene.boris }));
      const other = scene.crm.calls().find(({ id }) => id !== first);
      ensure(other !== undefined, 'the second is not there');
      scene.holds('ownerId', (id) => id === scene.boris, other);
    },
  },
  {
    name: 'gives a transferred call to who talked last, and tells the transfer in words',
    applies: always,
    run: async (scene) => {
      const summary = 'Transferred from Anna to Boris after 30 s.';
      const person = (userId: string, name: string) => ({ userId, name, part: 'answered', talkSeconds: 60 }) as const;
      const people = [person(scene.anna, 'Anna'), person(scene.boris, 'Boris')];
      await sync(scene, mine(scene, { userId: scene.boris, people, summary }));
      scene.holds('ownerId', (id) => id === scene.boris);
      scene.holds('text', (text) => text.includes(summary));
    },
  },
  {
    name: 'puts a call to its contact',
    applies: always,
    run: async (scene) => {
      const contact = scene.crm.addContact({ name: 'Carla Chen', numbers: ['+493090182055'], ownerId: scene.anna });
      await sync(scene, mine(scene, { contact }));
      scene.holds('contactIds', (ids) => ids.includes(contact.id));
    },
  },
  {
    name: 'takes texts of any script',
    applies: always,
    run: async (scene) => {
      await sync(scene, mine(scene, { subject: unicode, summary: unicode }));
      scene.holds('text', (text) => text.includes('電話') && text.includes('🧑🏽‍💻'));
    },
  },
  {
    name: 'takes a note with NUL and 10 kB of emoji, and cuts no character in two',
    applies: always,
    run: async (scene) => {
      const note = `a\0b ${'😀'.repeat(2_500)}`;
      const people = [{ userId: scene.anna, name: unicode, part: 'answered', talkSeconds: 125 } as const];
      await sync(scene, mine(scene, { subject: `x${note}`, summary: `xy${note}`, note, people, tags: [unicode] }));
      ensure(!/\p{Surrogate}/u.test(scene.call().text), 'half a character is left');
    },
  },
  {
    name: 'attaches a recording by its link',
    applies: ({ recording: kind }) => kind === 'link' || kind === 'both',
    run: async (scene) => {
      const one = recording();
      // As the engine does: a call that is closed knows nothing of its recording yet.
      const call = mine(scene);
      const id = await sync(scene, call);
      const told = { ...call, recordingUrl: one.url };
      valueOf((await scene.session().attachRecording?.(id, told, one))!, 'attachRecording');
      const kept = scene.call().recording;
      ensure(kept !== null, 'no recording is there');
      ensure(!('url' in kept) || kept.url === one.url, 'its link is another');
    },
  },
  {
    name: 'attaches a recording by its bytes, twice, and one call has it',
    applies: ({ recording: kind }) => kind === 'upload' || kind === 'both',
    run: async (scene) => {
      const call = mine(scene);
      const id = await sync(scene, call);
      const one = { ...recording(), url: null };
      valueOf((await scene.session().attachRecording?.(id, call, one))!, 'attachRecording');
      valueOf((await scene.session().attachRecording?.(id, call, one))!, 'attachRecording, again');
      const kept = scene.call().recording;
      ensure(kept !== null && 'bytes' in kept && kept.bytes === sound.length, `it holds ${JSON.stringify(kept)}`);
    },
  },
  {
    name: 'never overwrites what an agent wrote in the CRM',
    applies: ({ live, updateAfterClose }) => live || updateAfterClose,
    run: async (scene) => {
      if (scene.crm.writeNote === undefined) {
        ensure(scene.capabilities.note !== 'in-call', 'the simulator has no writeNote to prove it with');
        return;
      }
      const call = mine(scene);
      const session = scene.session();
      let id: string;
      if (scene.capabilities.live) {
        id = valueOf((await session.openCall?.(ringing(call)))!, 'openCall');
        scene.crm.writeNote(id, 'Wants a discount');
        valueOf(await session.closeCall(id, call), 'closeCall');
      } else {
        id = await sync(scene, call);
        scene.crm.writeNote(id, 'Wants a discount');
        valueOf((await session.updateCall?.(id, { ...call, summary: 'Corrected.' }))!, 'updateCall');
      }
      scene.holds('text', (text) => text.includes('Wants a discount'));
    },
  },
  {
    name: 'keeps our note in the call once, however often it is given',
    applies: ({ note, updateAfterClose }) => note === 'in-call' && updateAfterClose,
    run: async (scene) => {
      const call = mine(scene);
      const id = await sync(scene, call);
      const noted = { ...call, note: 'Calls back on Monday' };
      for (const _ of [1, 2]) valueOf((await scene.session().updateCall?.(id, noted))!, 'updateCall');
      scene.holds('text', (text) => text.split('Calls back on Monday').length === 2);
    },
  },
  {
    name: 'adds a note beside a call',
    applies: ({ note }) => note === 'beside',
    run: async (scene) => {
      // Some CRMs have a place for it on a contact alone.
      const contact = scene.crm.addContact({ name: 'Carla Chen', numbers: ['+493090182055'] });
      const call = mine(scene, { contact });
      const id = await sync(scene, call);
      valueOf((await scene.session().addNote?.(id, call, 'Calls back on Monday'))!, 'addNote');
      scene.call();
    },
  },
  {
    name: 'removes a call, and is not troubled to be asked again',
    applies: ({ remove }) => remove,
    run: async (scene) => {
      const id = await sync(scene, mine(scene));
      valueOf((await scene.session().removeCall?.(id))!, 'removeCall');
      ensure(scene.crm.calls().length === 0, 'it is still there');
      const { verdict } = await scene.session().removeCall!(id);
      ensure(verdict === 'done' || verdict === 'gone', `again it gave ${verdict}`);
    },
  },
];
