import { callStatuses } from '../../src/calls/domain/call.js';
import type { Company } from '../company.js';
import type { Lab } from '../start-lab.js';
import { waitFor } from '../wait-for.js';

const OPEN = callStatuses.filter((status) => status !== 'ended');
const ANSWER_WITHIN_MS = 3_000;

/** Waits at most 60 s for the records to end. Gives the number that did not. */
export async function settled(company: Company): Promise<number> {
  const open = async (): Promise<number> => {
    const lists = await Promise.all(OPEN.map((status) => company.call('GET', `/v1/calls?limit=200&status=${status}`)));
    return lists.reduce((count, { body }) => count + (body.items as unknown[]).length, 0);
  };
  await waitFor(async () => (await open()) === 0, {
    what: 'all records to end',
    timeoutMs: 60_000,
    everyMs: 1_000,
  }).catch(() => undefined);
  return open();
}

/** Channels, and bridges of ours, that Asterisk still has when it had 60 s to clear up. */
export async function leftovers(lab: Lab): Promise<{ channelsLeft: number; bridgesLeft: number }> {
  const read = async (path: string): Promise<{ id: string }[]> =>
    (await askAri(lab, path)).json() as Promise<{ id: string }[]>;
  const ours = async (): Promise<[number, number]> => [
    (await read('/channels')).length,
    (await read('/bridges')).filter(({ id }) => id.startsWith('rl-')).length,
  ];
  await waitFor(async () => (await ours()).every((n) => n === 0), {
    what: 'nothing to be left',
    timeoutMs: 60_000,
    everyMs: 1_000,
  }).catch(() => undefined);
  const [channelsLeft, bridgesLeft] = await ours();
  return { channelsLeft, bridgesLeft };
}

/** One question to ARI, past Ringline and all proxies. */
export function askAri(lab: Lab, path: string): Promise<Response> {
  const { username, password, ariUrl } = lab.asterisk;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  return fetch(ariUrl + path, { headers: { authorization }, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
}
