import { z } from 'zod';
import type { CrmSimulator, SimulatedCall } from '../../../../lab/crm/crm-simulator.js';
import { noneOfThis, realServer } from './real-server.js';

const nullable = z.string().nullish();
const idShape = z.object({ id: z.string() });
const callShape = z.object({
  id: z.string(),
  name: z.string(),
  status: z.string(),
  direction: z.string(),
  dateStart: z.string(),
  dateEnd: nullable,
  description: nullable,
  assignedUserId: nullable,
  contactsIds: z.array(z.string()).nullish(),
});

export type LiveSettings = { readonly url: string; readonly apiKey: string };

const TIMEOUT_MS = 15_000;

/** A real EspoCRM, read over its own API and not by the adapter. It has no faults to order, and users that are there. */
export function liveEspocrm({ url, apiKey }: LiveSettings, users: readonly string[]): CrmSimulator {
  const api = `${url.replace(/\/+$/, '')}/api/v1`;
  const left = [...users];
  let held: readonly { readonly ourId: string; readonly call: SimulatedCall }[] = [];

  const ask = async <Value>(method: string, path: string, shape: z.ZodType<Value>): Promise<Value> => {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const answer = await fetch(`${api}${path}`, { method, headers: { 'x-api-key': apiKey }, signal });
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}`);
    return shape.parse(await answer.json());
  };
  const find = async (ourId: string): Promise<readonly string[]> => {
    const where = { type: 'contains', attribute: 'description', value: ourId };
    const query = Object.entries(where).map(([name, value]): [string, string] => [`where[0][${name}]`, value]);
    const list = z.object({ list: z.array(idShape) });
    return (await ask('GET', `/Call?${new URLSearchParams(query).toString()}`, list)).list.map(({ id }) => id);
  };

  return {
    ...realServer,
    settings: { url, apiKey },
    addUser: () => left.shift() ?? noneOfThis(),
    calls: () => held.map(({ call }) => call),
    refresh: async (callIds) => {
      const now: { ourId: string; call: SimulatedCall }[] = [];
      for (const ourId of callIds) {
        for (const id of await find(ourId)) {
          now.push({ ourId, call: neutral(await ask('GET', `/Call/${id}`, callShape), ourId) });
        }
      }
      held = now;
    },
    // What a check made is not left behind.
    stop: async () => {
      for (const { call } of held) await ask('DELETE', `/Call/${call.id}`, z.unknown());
    },
  };
}

function neutral(stored: z.output<typeof callShape>, ourId: string): SimulatedCall {
  const { id, name, status, direction, dateStart, dateEnd, description, assignedUserId, contactsIds } = stored;
  const at = (time: string): Date => new Date(`${time.replace(' ', 'T')}Z`);
  const text = `${name}\n${description ?? ''}`;
  const url = /» Recording: (\S+)/.exec(text)?.[1];
  return {
    id,
    externalId: ourId,
    direction: direction === 'Inbound' ? 'inbound' : 'outbound',
    number: null,
    seconds: dateEnd == null ? null : (at(dateEnd).getTime() - at(dateStart).getTime()) / 1000,
    wasAnswered: status === 'Planned' ? null : status === 'Held',
    isOpen: status === 'Planned',
    startedAt: at(dateStart),
    ownerId: assignedUserId ?? null,
    contactIds: contactsIds ?? [],
    text,
    recording: url === undefined ? null : { url },
  };
}
