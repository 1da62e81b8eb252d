import { foundCompany, type Company } from '../company.js';
import type { FaultProxy } from '../fault-proxy.js';
import { startRingline, type LabRingline } from '../ringline.js';
import { header, type SipMessage } from '../sip-trace.js';
import type { Phone } from '../sipp.js';
import { startLab, type Lab } from '../start-lab.js';
import { waitFor } from '../wait-for.js';

/** What is lost between Ringline and Asterisk: the answer after Asterisk acted, or the request before it did. */
export const lostAnswerKinds = [
  'create-answer-reset',
  'create-answer-held',
  'dial-answer-reset',
  'dial-answer-held',
  'create-request-reset',
  'dial-request-reset',
] as const;
export type LostAnswerKind = (typeof lostAnswerKinds)[number];

export type KindFigures = {
  readonly kind: LostAnswerKind;
  readonly calls: number;
  /** Requests that the proxy hit: half of them for the agents' legs, half for the customers'. */
  readonly lost: number;
  /** Both phones answered, once each, and the record says so. */
  readonly completed: number;
  /** Not both phones answered, and the record says why. */
  readonly endedWithReason: number;
  /** Calls by what their record says. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Refused by the API, by problem type. */
  readonly refused: Readonly<Record<string, number>>;
  /** Records whose outcome is not what the phones saw, or that did not end. */
  readonly wrong: readonly string[];
  /** Legs for which a phone got a second INVITE. */
  readonly doubleInvites: number;
  readonly seconds: number;
};

export type LostAnswersProof = {
  readonly seed: number;
  readonly asterisk: string;
  readonly kinds: readonly KindFigures[];
  /** What Asterisk still has when all is over. */
  readonly leftChannels: number;
  readonly leftBridges: number;
  /** Whether the process that ran Ringline is the one that began. */
  readonly survived: boolean;
  /** False when the time ran out before all calls were placed. */
  readonly isComplete: boolean;
};

export type LostAnswersOptions = {
  readonly callsPerKind: number;
  readonly seed: number;
  /** No call is begun later than this after the start, ms. */
  readonly limitMs: number;
  readonly kinds?: readonly LostAnswerKind[];
  readonly report?: (line: string) => void;
};

const AGENTS = 20;
/** Long enough that all agents of a batch ring before the first answers: so it is known whose leg is made next. */
const AGENT_RING_MS = 3_000;

type World = {
  readonly lab: Lab;
  readonly proxy: FaultProxy;
  readonly ringline: LabRingline;
  readonly company: Company;
  readonly agents: Phone;
  readonly customers: Phone;
};

/** Click-to-calls while answers of `create` and `dial` get lost. The oracle is what the phones saw. */
export async function proveLostAnswers(options: LostAnswersOptions): Promise<LostAnswersProof> {
  const report = options.report ?? (() => undefined);
  const lab = await startLab({ report });
  try {
    const proxy = await lab.proxy(lab.asterisk.ariUrl);
    const ringline = await startRingline(lab);
    const numbers = Array.from({ length: AGENTS }, (_, i) => i + 1);
    const company = await foundCompany(lab, ringline, {
      agents: numbers,
      ariUrl: proxy.url,
      limits: { concurrentCalls: 1_000, callsPerHour: 100_000 },
    });
    const agents = await lab.sipp.phone({
      register: numbers.map((n) => `agent${n}`),
      ringMs: AGENT_RING_MS,
      media: 'none',
    });
    const customers = await lab.sipp.phone({ port: lab.ports.trunk, ringMs: 300, talkMs: 700, media: 'none' });
    const world: World = { lab, proxy, ringline, company, agents, customers };
    const { pid } = ringline;
    const until = performance.now() + options.limitMs;
    const kinds: KindFigures[] = [];
    let placed = 0;
    for (const kind of options.kinds ?? lostAnswerKinds) {
      const figures = new Figures(kind);
      while (figures.calls < options.callsPerKind && performance.now() < until) {
        const count = Math.min(AGENTS, options.callsPerKind - figures.calls);
        // The seed only moves the numbers that are dialled.
        const first = 1_000_000 + ((options.seed * 7_919 + placed) % 8_000_000);
        placed += count;
        await batch(world, kind, first, count, figures);
      }
      kinds.push(figures.done());
      report(JSON.stringify(kinds.at(-1)));
    }
    const leftChannels = await left(lab, 'core show channels count', /^(\d+) active channel/m);
    const leftBridges = await left(lab, 'bridge show all', null);
    return {
      seed: options.seed,
      asterisk: lab.asterisk.version,
      kinds,
      leftChannels,
      leftBridges,
      survived: ringline.pid === pid && (await ringline.call('GET', '/health/live')).status === 200,
      isComplete: kinds.every(({ calls }) => calls >= options.callsPerKind),
    };
  } finally {
    await lab.stop();
  }
}

class Figures {
  calls = 0;
  lost = 0;
  completed = 0;
  endedWithReason = 0;
  doubleInvites = 0;
  readonly outcomes: Record<string, number> = {};
  readonly refused: Record<string, number> = {};
  readonly wrong: string[] = [];
  readonly #startedAt = performance.now();

  constructor(readonly kind: LostAnswerKind) {}

  done(): KindFigures {
    const { kind, calls, lost, completed, endedWithReason, outcomes, refused, wrong, doubleInvites } = this;
    const seconds = Math.round((performance.now() - this.#startedAt) / 100) / 10;
    return { kind, calls, lost, completed, endedWithReason, outcomes, refused, wrong, doubleInvites, seconds };
  }
}

/** Places `count` calls side by side, one an agent. Half of them lose something of the agent's leg, half of the customer's. */
async function batch(
  world: World,
  kind: LostAnswerKind,
  first: number,
  count: number,
  figures: Figures,
): Promise<void> {
  const { proxy, company } = world;
  const forAgents = Math.ceil(count / 2);
  const faults = [intercept(proxy, kind, 'agent', forAgents)];
  const isCreate = kind.startsWith('create');
  if (!isCreate) faults.push(intercept(proxy, kind, 'customer', count - forAgents));
  const numbers = Array.from({ length: count }, (_, i) => `+4930${first + i}`);
  const answers = await Promise.all(
    numbers.map((to, i) =>
      company.call('POST', '/v1/calls', {
        allow: true,
        headers: { 'idempotency-key': `lost-${to}` },
        body: { agentId: company.agentIds[i], to },
      }),
    ),
  );
  const placed = numbers.flatMap((number, i) => {
    const answer = answers[i];
    if (answer?.status === 201) return [{ number, id: answer.body.id as string }];
    const type = String(answer?.body?.type ?? answer?.status).replace(/.*\//, '');
    figures.refused[type] = (figures.refused[type] ?? 0) + 1;
    return [];
  });
  if (isCreate) {
    // Which leg a `create` makes is not in its path: once all agents ring, it is a customer's.
    await waitFor(
      async () => {
        const rung = await invitesTo(world.agents, 'from');
        return placed.every(({ number }) => rung.has(number));
      },
      { what: 'the agents’ phones to ring', timeoutMs: 8_000, everyMs: 100 },
    ).catch(() => undefined);
    faults.push(intercept(proxy, kind, 'customer', count - forAgents));
  }

  const records = await Promise.all(placed.map(({ id }) => ended(company, id)));
  for (const fault of faults) {
    figures.lost += fault.hits();
    fault.release();
  }
  const [rung, called] = [await invitesTo(world.agents, 'from'), await invitesTo(world.customers, 'to')];
  for (const [i, { number, id }] of placed.entries()) {
    const seen = [rung.get(number) ?? nobody, called.get(number) ?? nobody];
    figures.doubleInvites += seen.filter(({ invites }) => invites > 1).length;
    const talked = seen.every(({ answered }) => answered);
    const record = records[i];
    const outcome = record === undefined ? 'open' : `${record.outcome} ${record.outcomeReason ?? ''}`.trim();
    figures.outcomes[outcome] = (figures.outcomes[outcome] ?? 0) + 1;
    if (record === undefined) figures.wrong.push(`${id}: did not end`);
    else if (talked && record.outcome === 'answered') figures.completed += 1;
    else if (!talked && record.outcome !== 'answered' && record.outcomeReason !== 'unknown') {
      figures.endedWithReason += 1;
    } else {
      const { items } = (await company.call('GET', `/v1/calls/${id}/timeline`)).body as { items: { text: string }[] };
      figures.wrong.push(`${id}: ${outcome}, talked: ${talked}: ${items.map(({ text }) => text).join('; ')}`);
    }
  }
  figures.calls += count;
}

function intercept(proxy: FaultProxy, kind: LostAnswerKind, side: 'agent' | 'customer', times: number) {
  const [command, lose, how] = kind.split('-') as ['create' | 'dial', 'answer' | 'request', 'reset' | 'held'];
  const leg = side === 'agent' ? 'a\\d+c\\d+' : 'r';
  return proxy.intercept({
    method: 'POST',
    path: command === 'create' ? /\/channels\/create/ : new OncePerPath(`/channels/rl-[0-9a-f-]+-${leg}/dial`),
    lose: lose === 'answer' ? 'response' : 'request',
    how: how === 'held' ? 'hold' : 'reset',
    times,
  });
}

/** A request that is repeated because it was lost is not lost again. */
class OncePerPath extends RegExp {
  readonly #seen = new Set<string>();

  override test(path: string): boolean {
    if (this.#seen.has(path) || !super.test(path)) return false;
    this.#seen.add(path);
    return true;
  }
}

type EndedRecord = { readonly outcome: string; readonly outcomeReason: string | null };

async function ended(company: Company, id: string): Promise<EndedRecord | undefined> {
  return waitFor(
    async () => {
      const { body } = await company.call('GET', `/v1/calls/${id}`);
      return body.status === 'ended' ? (body as EndedRecord) : undefined;
    },
    { what: 'the record to end', timeoutMs: 60_000, everyMs: 250 },
  ).catch(() => undefined);
}

export type Seen = { readonly invites: number; readonly answered: boolean };
const nobody: Seen = { invites: 0, answered: false };

/**
 * What a phone saw of each call, by the number in `From` (agents see whom they will call) or the number called. An
 * INVITE that is repeated because UDP may lose it has the same branch; one within a dialog has a tag in To.
 */
export async function invitesTo(phone: Phone, by: 'from' | 'to'): Promise<ReadonlyMap<string, Seen>> {
  const branches = new Map<string, Set<string>>();
  const answered = new Set<string>();
  for (const call of await phone.calls()) {
    const number = (by === 'from' ? call.fromUser : call.calledUser).replace(/^(?!\+)/, '+');
    const known = branches.get(number) ?? new Set();
    branches.set(number, known);
    for (const message of call.messages) if (isFirstInvite(message)) known.add(branchOf(message));
    if (call.answeredAt !== undefined) answered.add(number);
  }
  return new Map(
    [...branches].map(([number, known]) => [number, { invites: known.size, answered: answered.has(number) }]),
  );
}

function isFirstInvite(message: SipMessage): boolean {
  return message.firstLine.startsWith('INVITE ') && !/;\s*tag=/i.test(header(message, 'To') ?? '');
}

function branchOf(message: SipMessage): string {
  const via = header(message, 'Via') ?? '';
  return /branch=([^;,\s]+)/.exec(via)?.[1] ?? via;
}

/** What is left in Asterisk once it had time to clear up: a count in its own words, or the lines that name our rooms. */
async function left(lab: Lab, command: string, count: RegExp | null): Promise<number> {
  const ask = async (): Promise<number> => {
    const text = await lab.asterisk.cli(command);
    return count === null ? (text.match(/^rl-/gm)?.length ?? 0) : Number(count.exec(text)?.[1] ?? Number.NaN);
  };
  await waitFor(async () => (await ask()) === 0, {
    what: `nothing in "${command}"`,
    timeoutMs: 60_000,
    everyMs: 500,
  }).catch(() => undefined);
  return ask();
}
