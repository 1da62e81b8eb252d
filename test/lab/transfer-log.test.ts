import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../lab/wait-for.js';
import { endScene, eventTypes, hears, passOnAsked, ringline, rolesOf, setScene, talk } from './transfer-scene.js';

/** Legs of a call whose end Asterisk's log has told too. */
async function endsInLog(callId: string): Promise<number> {
  const client = new pg.Client(ringline.databaseUrl);
  await client.connect();
  try {
    const { rows } = await client.query(
      `select count(*)::int as ends from call_fact join call_leg using (pbx_node_id, boot, leg)
       where call_id = $1 and kind = 'ended' and source = 'cel'`,
      [callId],
    );
    return rows[0].ends as number;
  } finally {
    await client.end();
  }
}

describe.each([
  { phoneTransfers: 'ringline', observe: false },
  { phoneTransfers: 'pbx', observe: false },
  { phoneTransfers: 'ringline', observe: true },
  { phoneTransfers: 'pbx', observe: true },
] as const)(
  'an attended transfer by phone of which the log is read too ($phoneTransfers, observed: $observe)',
  (how) => {
    beforeAll(() => setScene({ ...how, readsCel: true }));
    afterAll(endScene);

    it('has the legs and the end that events tell of', async () => {
      const call = await talk();
      const second = await passOnAsked(call, 1);
      await waitFor(async () => rolesOf(await call.read())[1]?.[1] === 'answered', { what: 'the second to have him' });
      await Promise.all([hears('agent2'), hears('trunk')]);
      await second.hangup();
      await call.customer.waitFor('closed');
      const ended = await call.over();
      await waitFor(async () => (await endsInLog(call.id)) >= 3, { what: 'the log of all legs', timeoutMs: 20_000 });
      const record = await call.read();
      expect(record).toMatchObject({ outcome: 'answered', hangup: { by: 'agent' }, estimated: false });
      expect(record.legs.map(({ side }) => side)).toEqual(['remote', 'agent', 'agent']);
      expect(rolesOf(record)).toEqual([
        ['PJSIP/agent1', 'transferred'],
        ['PJSIP/agent2', 'answered'],
      ]);
      expect(record).toEqual(ended);
      expect((await eventTypes(call.id)).at(-1)).toBe('ended');
    });
  },
);
