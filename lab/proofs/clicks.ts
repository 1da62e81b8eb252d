import { setTimeout as sleep } from 'node:timers/promises';

import type { Call } from '../../src/calls/domain/call.js';
import type { Answer } from '../ringline.js';
import type { Field } from './field.js';
import { invitesTo } from './lost-answers.js';

export type ClickFigures = {
  readonly clicks: number;
  /** Answered 201 in the end. */
  readonly placed: number;
  /** Answered otherwise, by problem type: nobody is dialled. */
  readonly refused: Readonly<Record<string, number>>;
  /** Why the same request was sent once more, and how often: problem types, or that no answer came. */
  readonly repeated: Readonly<Record<string, number>>;
  /** Both phones answered, and the record says so. */
  readonly completed: number;
  /** Phones that got a second INVITE of one click. */
  readonly doubleInvites: number;
  readonly wrong: readonly string[];
};

export type Clicks = {
  /** Places no more, and waits for the answers. */
  stop(): Promise<void>;
  /** Compares what the phones saw with the records, when all is over. */
  judge(records: readonly Call[]): Promise<ClickFigures>;
};

/** Agents of the storm's own lines have the numbers before these. */
const AGENTS = [4, 5, 6, 7, 8, 9];
const CLICK_EVERY_MS = 1_500;
const REPEAT_EVERY_MS = 500;
/** Whoever clicked gives up. */
const REPEAT_FOR_MS = 25_000;
const FIRST_NUMBER = 5_000_000;

type Click = { readonly number: string; readonly answer: Promise<Answer | null> };

/** Click-to-calls, one after the other agent, as a CRM places them: what is not answered is sent again with the same key. */
export async function startClicks({ lab, company }: Field): Promise<Clicks> {
  const agentIds = await Promise.all(
    AGENTS.map(async (n) => {
      const devices = [{ kind: 'sip', pbxNodeId: company.nodeId, endpoint: `agent${n}`, autoAnswer: 'none' }];
      return (await company.call('POST', '/v1/agents', { body: { name: `Agent ${n}`, devices } })).body.id as string;
    }),
  );
  const agents = await lab.sipp.phone({ register: AGENTS.map((n) => `agent${n}`), ringMs: 500, media: 'none' });
  const customers = await lab.sipp.phone({ port: lab.ports.trunk, ringMs: 300, talkMs: 1_500, media: 'none' });
  const over = new AbortController();
  const clicks: Click[] = [];
  const repeated: Record<string, number> = {};

  const place = async (agentId: string, to: string): Promise<Answer | null> => {
    const until = Date.now() + REPEAT_FOR_MS;
    while (Date.now() < until) {
      const headers = { 'idempotency-key': `click-${to}` };
      const body = { agentId, to };
      const answer = await company.call('POST', '/v1/calls', { allow: true, headers, body }).catch(() => null);
      // What says "later" is asked again, as a CRM does.
      if (answer !== null && !answer.headers.has('retry-after') && answer.status !== 409) return answer;
      count(repeated, typeOf(answer));
      await sleep(REPEAT_EVERY_MS);
    }
    return null;
  };
  const clicking = (async () => {
    while (!over.signal.aborted) {
      const number = `+4930${FIRST_NUMBER + clicks.length}`;
      clicks.push({ number, answer: place(agentIds[clicks.length % agentIds.length] as string, number) });
      await sleep(CLICK_EVERY_MS);
    }
  })();

  return {
    stop: async () => {
      over.abort();
      await clicking;
      await Promise.all(clicks.map(({ answer }) => answer));
    },
    judge: async (records) => {
      const [rung, called] = [await invitesTo(agents, 'from'), await invitesTo(customers, 'to')];
      const refused: Record<string, number> = {};
      const wrong: string[] = [];
      const figures = { placed: 0, completed: 0, doubleInvites: 0 };
      for (const { number, answer } of clicks) {
        const answered = await answer;
        const seen = [rung.get(number), called.get(number)];
        const found = records.filter(({ remote }) => remote.e164 === number);
        figures.doubleInvites += seen.filter((phone) => (phone?.invites ?? 0) > 1).length;
        if (found.length > 1) wrong.push(`${number} has ${found.length} records`);
        if (answered?.status === 201) figures.placed++;
        else count(refused, typeOf(answered));
        const [record] = found;
        if (record === undefined) {
          if (answered?.status === 201) wrong.push(`${number} was placed and has no record`);
          if (seen.some((phone) => phone !== undefined)) wrong.push(`${number} was dialled and has no record`);
          continue;
        }
        const talked = seen.every((phone) => phone?.answered === true);
        if (record.endedAt === null) wrong.push(`${record.id} is ${record.status}`);
        else if (talked && record.outcome === 'answered') figures.completed++;
        else if (talked || record.outcome === 'answered')
          wrong.push(`${record.id} is ${record.outcome} ${record.outcomeReason ?? ''}, talked: ${talked}`);
      }
      await agents.stop();
      await customers.stop();
      return { clicks: clicks.length, repeated, refused, ...figures, wrong };
    },
  };
}

export function clicksHeld({ doubleInvites, wrong, completed }: ClickFigures): boolean {
  return doubleInvites === 0 && wrong.length === 0 && completed > 0;
}

/** The end of the address that names a problem. */
function typeOf(answer: Answer | null): string {
  return String(answer?.body?.type ?? answer?.status ?? 'unanswered').replace(/.*\//, '');
}

function count(counts: Record<string, number>, what: string): void {
  counts[what] = (counts[what] ?? 0) + 1;
}
