import { z } from 'zod';
import type { CrmClient } from '../../port/crm-client.js';
import { done, type Verdict } from '../../port/verdict.js';
import { ask, ID_PROPERTY, read, VERSION } from './hubspot-api.js';

const DAY = 86_400;
const GROUP = 'ringline';
const readme = 'Make it as the README says, or give the private app the right to.';

/** The property that holds our id, made where it is not there yet. */
export function idPropertyOf(client: CrmClient, type: 'calls' | 'tasks' | 'contacts'): Promise<Verdict> {
  return client.remember(`property:${type}`, DAY, async () => {
    const path = `/crm/properties/${VERSION}/${type}`;
    const shape = z.object({ hasUniqueValue: z.boolean().catch(false) });
    const known = await ask(client, { method: 'GET', path: `${path}/${ID_PROPERTY}` }, shape);
    if (known.verdict === 'done') return known.value.hasUniqueValue ? done() : notUnique(type);
    if (known.verdict !== 'gone') return known;
    const group = await make(client, `${path}/groups`, { name: GROUP, label: 'Ringline', displayOrder: -1 });
    if (group.verdict !== 'done') return refused(group, type);
    const property = {
      name: ID_PROPERTY,
      label: 'Ringline call ID',
      description: 'Ringline’s id of the call. Ringline finds what it has written by it.',
      groupName: GROUP,
      type: 'string',
      fieldType: 'text',
      hasUniqueValue: true,
    };
    return refused(await make(client, path, property), type);
  });
}

/** What is there already is as good as made. */
async function make(client: CrmClient, path: string, json: object): Promise<Verdict> {
  const answer = await client.request({ method: 'POST', path, body: { json } });
  if (answer.kind === 'answered' && answer.status === 409) return done();
  const made = read(answer, z.unknown());
  return made.verdict === 'done' ? done() : made;
}

function notUnique(type: string): Verdict {
  return {
    verdict: 'rejected',
    why: `The property ${ID_PROPERTY} of ${type} does not ask for unique values. ${readme}`,
  };
}

function refused(made: Verdict, type: string): Verdict {
  if (made.verdict !== 'rejected') return made;
  return {
    verdict: 'rejected',
    why: `The property ${ID_PROPERTY} of ${type} could not be made. ${made.why} ${readme}`,
  };
}
