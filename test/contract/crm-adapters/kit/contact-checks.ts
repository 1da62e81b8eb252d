import { always, type Check } from './check.js';
import { ensure, valueOf, type Scene } from './scene.js';
import { anonymous, caller, isCaller, ringing, sampleCall } from './sample-calls.js';
import type { ContactPage } from '../../../../src/crm/port/crm-adapter.js';
import type { CrmNumber } from '../../../../src/crm/port/crm-objects.js';

const find = async (scene: Scene, number: CrmNumber) =>
  valueOf((await scene.session().findContacts?.(number))!, 'findContacts');

export const contactChecks: readonly Check[] = [
  {
    name: 'finds a contact by its number, with name and owner, and changes nothing',
    applies: ({ search }) => search,
    run: async (scene) => {
      const name = 'Čarla 陳 🌸';
      const one = scene.crm.addContact({ name, numbers: ['+493090182055'], ownerId: scene.boris });
      scene.crm.addContact({ name: 'Nobody', numbers: ['+493011111111'], ownerId: scene.anna });
      const [found, ...more] = await find(scene, caller);
      ensure(found?.id === one.id && found.type === one.type && more.length === 0, `found ${found?.id ?? 'nobody'}`);
      ensure(found.name.includes('陳') && found.name.includes('🌸'), `its name is ${found.name}`);
      ensure(found.ownerId === scene.boris, `its owner is ${found.ownerId ?? 'nobody'}`);
      ensure(scene.crm.created().length === 0 && scene.crm.calls().length === 0, 'something was made');
    },
  },
  {
    name: 'finds all who have a number',
    applies: ({ search }) => search,
    run: async (scene) => {
      for (const name of ['One', 'Two', 'Three']) scene.crm.addContact({ name, numbers: ['+493090182055'] });
      const found = await find(scene, caller);
      ensure(new Set(found.map(({ id }) => id)).size === 3, `found ${found.length}`);
    },
  },
  {
    name: 'finds nobody for a number that nobody has',
    applies: ({ search }) => search,
    run: async (scene) => {
      scene.crm.addContact({ name: 'One', numbers: ['+493011111111'] });
      ensure((await find(scene, caller)).length === 0, 'it found somebody');
    },
  },
  {
    name: 'finds nobody for an anonymous caller',
    applies: ({ search }) => search,
    run: async (scene) => {
      scene.crm.addContact({ name: 'One', numbers: ['+493090182055'] });
      ensure((await find(scene, anonymous)).length === 0, 'it found somebody');
    },
  },
  {
    name: 'lists contacts to the last page',
    applies: ({ contactSync }) => contactSync,
    run: async (scene) => {
      const one = scene.crm.addContact({ name: 'One', numbers: ['+493090182055'] });
      const ids = new Set<string>();
      let cursor: string | null = null;
      for (let pages = 0; ; pages++) {
        ensure(pages < 20, 'it never ends');
        const page: ContactPage = valueOf((await scene.session().listContacts?.(cursor))!, 'listContacts');
        page.contacts.forEach(({ id }) => ids.add(id));
        cursor = page.cursor;
        if (page.isLast) break;
      }
      ensure(ids.has(one.id), 'one is not among them');
    },
  },
  {
    name: 'lists users by their ids',
    applies: ({ users }) => users,
    run: async (scene) => {
      const users = valueOf((await scene.session().listUsers?.())!, 'listUsers');
      const anna = users.find(({ id }) => id === scene.anna);
      ensure(anna?.name.includes('Anna') === true && anna.isActive, 'Anna is not among them');
    },
  },
  {
    name: 'pops a call up on the screen of its agent',
    applies: ({ pop }) => pop !== false,
    run: async (scene) => {
      const call = ringing(sampleCall({ userId: scene.anna }));
      const session = scene.session();
      const id = scene.capabilities.live ? valueOf((await session.openCall?.(call))!, 'openCall') : null;
      valueOf((await session.popScreen?.(call, [scene.anna], id))!, 'popScreen');
      const popped = scene.crm.pops().find(({ userIds }) => userIds.includes(scene.anna));
      ensure(popped !== undefined && isCaller(popped.number), 'no such pop was shown');
    },
  },
  {
    name: 'opens a call by its pop where it says so, once, and nowhere else',
    applies: ({ pop }) => pop !== false,
    run: async (scene) => {
      const call = ringing(sampleCall({ userId: scene.anna }));
      const session = scene.session();
      valueOf((await session.popScreen?.(call, [scene.anna], null))!, 'popScreen');
      const opens = scene.capabilities.pop === 'opens-call';
      const opened = scene.crm.calls().length;
      ensure(opened === (opens ? 1 : 0), `the pop opened ${opened} calls`);
      if (!opens) return;
      const id = valueOf((await session.openCall?.(call))!, 'openCall');
      ensure(scene.crm.calls().length === 1, 'openCall opened another one');
      valueOf(await session.closeCall(id, sampleCall({ userId: scene.anna })), 'closeCall');
      const left = scene.crm.calls();
      ensure(left.length === 1 && left[0]?.isOpen === false, `it is not closed: ${JSON.stringify(left)}`);
    },
  },
  {
    name: 'makes what it declares of an unknown caller',
    applies: ({ creates }) => creates.length > 0,
    run: async (scene) => {
      for (const kind of scene.capabilities.creates) {
        const before = scene.crm.created().length;
        const call = sampleCall({ userId: scene.anna });
        valueOf((await scene.session().createObject?.(kind, call))!, `createObject ${kind}`);
        const made = scene.crm.created();
        ensure(made.length === before + 1, `${made.length - before} were made as ${kind}`);
        ensure(made.at(-1)?.numbers.some(isCaller) === true, `the ${kind} has not the number`);
      }
    },
  },
  {
    name: 'makes a task for a person and closes it, twice if need be',
    applies: ({ tasks }) => tasks,
    run: async (scene) => {
      const session = scene.session();
      const call = sampleCall({ userId: scene.anna, outcome: 'missed' });
      const dueAt = new Date('2026-03-10T10:17:50Z');
      const task = { subject: 'Call back', text: 'Nobody answered.', userId: scene.boris, dueAt };
      const id = valueOf((await session.createTask?.(call, task))!, 'createTask');
      const kept = (): ReturnType<typeof scene.crm.tasks>[number] | undefined =>
        scene.crm.tasks().find((one) => one.id === id);
      ensure(kept()?.isOpen === true && kept()?.ownerId === scene.boris, 'it is not there, open and his');
      ensure(kept()?.subject.includes('Call back') === true, 'its subject is another');
      valueOf((await session.closeTask?.(id, 'Called back.'))!, 'closeTask');
      ensure(kept()?.isOpen !== true, 'it is still open');
      const { verdict } = await session.closeTask!(id, 'Called back.');
      ensure(verdict === 'done' || verdict === 'gone', `again it gave ${verdict}`);
    },
  },
  {
    name: 'gives a verdict for a call that is not there',
    applies: always,
    run: async (scene) => {
      const session = scene.session();
      if (!session.updateCall || !scene.capabilities.updateAfterClose) return;
      const { verdict } = await session.updateCall('999999', sampleCall({ userId: scene.anna }));
      ensure(verdict === 'gone' || verdict === 'rejected', `updateCall gave ${verdict}`);
    },
  },
];
