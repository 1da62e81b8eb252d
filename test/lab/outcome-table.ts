import type { HangupParty, Outcome, OutcomeReason, Participant } from '../../src/calls/domain/call.js';
import type { CallEventType } from '../../src/calls/domain/call-event.js';

/** What one phone does when it is called. It rings (180) at once unless told. */
export type PhoneActs = {
  /** Says 183 with sound instead of 180, or nothing at all. */
  readonly provisional?: 183 | 'none';
  /** How long it rings before it answers or refuses, ms. Default 300. */
  readonly ringMs?: number | 'forever';
  /** Refuses with this status line. */
  readonly refuse?: string;
  /** Hangs up so long after its answer, ms. Default: never. */
  readonly talkMs?: number;
  /** Registers and is gone: nothing listens at its address. */
  readonly gone?: true;
};

/** An outside number of the first agent, called by the line's carrier: a mobile phone, or its mailbox. */
export type MobileActs = Pick<PhoneActs, 'ringMs' | 'refuse'> & {
  /** The key that is pressed there; none: it is a mailbox. */
  readonly key?: string;
  /** Who answers has the call at once. */
  readonly confirm?: 'none';
  /** The agent has no phone beside it. */
  readonly isOnly?: true;
};

/** A moment in a call at which the API is asked to hang up. */
export type Stage = 'agent-rings' | 'customer-called' | 'customer-rings' | 'talking';

export type Expected = {
  readonly outcome: Outcome;
  readonly reason: OutcomeReason;
  readonly by: HangupParty;
  /** SIP status that the record names; null where none is told. */
  readonly sip: number | null;
  readonly events: readonly CallEventType[];
  /** Of each phone that could ring, in the order of the agents. */
  readonly roles: readonly Participant['role'][];
  /** The dial plan's fall-back took the caller. */
  readonly fallback?: true;
};

type Shared = {
  /** A sentence: what happens. */
  readonly name: string;
  /** Each agent's phones, all registered at the agent's one address. None: not registered. */
  readonly agents: readonly (readonly PhoneActs[])[];
  readonly mobile?: MobileActs;
  /** Whom the company has blocked: exactly this number, all that begin like it, or callers who show none. */
  readonly blocks?: 'number' | 'beginning' | 'anonymous';
  /** The API hangs up at this moment. */
  readonly apiHangsUp?: Stage;
  /** Roughly how long it takes where that is long, seconds: the longest start first. */
  readonly seconds?: number;
};

export type IncomingRow = Shared & {
  readonly direction: 'incoming';
  /** Default: waits for ever. */
  readonly caller?: { readonly giveUpMs?: number; readonly talkMs?: number; readonly from?: string };
  readonly ringSeconds?: number;
  /** The agents have no device, or the number is no line. */
  readonly setting?: 'no-devices' | 'no-line' | 'first-agent-talks';
  /** Both agents answer at one moment, and either may win. */
  readonly eitherWins?: true;
  /** What is told of it; null: there is no record, and the fall-back takes the caller. */
  readonly expected: Expected | null;
};

export type ClickRow = Shared & {
  /** `customer-first`: a click-to-call in that order. */
  readonly direction: 'click-to-call' | 'customer-first';
  /** What the carrier does. `no-contact`: the trunk has no address. `nobody-listens`: nothing is at its address. */
  readonly customer: PhoneActs | 'no-contact' | 'nobody-listens';
  readonly autoAnswer?: 'call-info' | 'alert-info';
  /** What is told of it; a problem type: the request is refused and nothing is stored. */
  readonly expected: Expected | { readonly refused: number; readonly problem: string };
};

export type OutcomeRow = IncomingRow | ClickRow;

const answered = ['call.started', 'call.ringing', 'call.answered', 'call.ended'] as const;
const rangAndEnded = ['call.started', 'call.ringing', 'call.ended'] as const;
const ended = ['call.started', 'call.ended'] as const;
// Back in the dial plan the call is queued again, which no type of its own tells.
const rangAndHandedBack = ['call.started', 'call.ringing', 'call.updated', 'call.ended'] as const;

/** Not one phone rings, and the fall-back, which might ring one, does not get the caller. */
const blocked: Expected = {
  outcome: 'blocked',
  reason: 'blocked-number',
  by: 'system',
  sip: 403,
  events: ended,
  roles: [],
};

/** Long enough for everything else to happen on a busy machine. */
const A_WHILE_MS = 2_500;
// The dial plan waits up to 500 ms for the first sound before it plays its message.
const listening = { talkMs: 1_500 } as const;

/**
 * What each final answer of a phone means (RFC 3261 section 21, Q.850). `customer`: of a click-to-call, after it rang.
 * `agent`: why nobody took the call; an incoming call is then `missed`, a click-to-call `cancelled` when the agent
 * declined it and `failed` otherwise.
 */
export const sipAnswers: readonly {
  readonly status: number;
  readonly phrase: string;
  readonly customer: { readonly outcome: Outcome; readonly reason: OutcomeReason };
  readonly agent: OutcomeReason;
}[] = [
  { status: 402, phrase: 'Payment Required', customer: failed('trunk-refused'), agent: 'device-unreachable' },
  { status: 403, phrase: 'Forbidden', customer: failed('trunk-refused'), agent: 'device-unreachable' },
  { status: 404, phrase: 'Not Found', customer: failed('invalid-number'), agent: 'device-unreachable' },
  { status: 408, phrase: 'Request Timeout', customer: noAnswer('remote-no-answer'), agent: 'agent-no-answer' },
  { status: 410, phrase: 'Gone', customer: failed('invalid-number'), agent: 'device-unreachable' },
  {
    status: 480,
    phrase: 'Temporarily Unavailable',
    customer: noAnswer('remote-unavailable'),
    agent: 'agent-rejected',
  },
  { status: 484, phrase: 'Address Incomplete', customer: failed('invalid-number'), agent: 'device-unreachable' },
  { status: 485, phrase: 'Ambiguous', customer: failed('invalid-number'), agent: 'device-unreachable' },
  { status: 486, phrase: 'Busy Here', customer: { outcome: 'busy', reason: 'remote-busy' }, agent: 'agent-busy' },
  { status: 487, phrase: 'Request Terminated', customer: failed('unknown'), agent: 'agent-rejected' },
  { status: 488, phrase: 'Not Acceptable Here', customer: failed('trunk-refused'), agent: 'device-unreachable' },
  {
    status: 500,
    phrase: 'Server Internal Error',
    customer: failed('trunk-unreachable'),
    agent: 'device-unreachable',
  },
  { status: 502, phrase: 'Bad Gateway', customer: failed('trunk-unreachable'), agent: 'device-unreachable' },
  { status: 503, phrase: 'Service Unavailable', customer: failed('congestion'), agent: 'device-unreachable' },
  { status: 504, phrase: 'Server Time-out', customer: failed('trunk-unreachable'), agent: 'device-unreachable' },
  { status: 600, phrase: 'Busy Everywhere', customer: { outcome: 'busy', reason: 'remote-busy' }, agent: 'agent-busy' },
  { status: 603, phrase: 'Decline', customer: rejected(), agent: 'agent-rejected' },
  { status: 604, phrase: 'Does Not Exist Anywhere', customer: failed('invalid-number'), agent: 'device-unreachable' },
  { status: 606, phrase: 'Not Acceptable', customer: failed('trunk-refused'), agent: 'device-unreachable' },
  { status: 607, phrase: 'Unwanted', customer: rejected(), agent: 'agent-rejected' },
  { status: 608, phrase: 'Rejected', customer: rejected(), agent: 'agent-rejected' },
];

/** Answers of an agent's phone that are tried on a real switch; all are tried on the record. */
const agentAnswersTried = [404, 408, 480, 486, 500, 600, 603];

/** Answers of a customer who is called first that are tried on a real switch. */
const customerAnswersTried = [403, 486, 503, 603];

function failed(reason: OutcomeReason): { outcome: Outcome; reason: OutcomeReason } {
  return { outcome: 'failed', reason };
}

function noAnswer(reason: OutcomeReason): { outcome: Outcome; reason: OutcomeReason } {
  return { outcome: 'no-answer', reason };
}

function rejected(): { outcome: Outcome; reason: OutcomeReason } {
  return { outcome: 'rejected', reason: 'remote-rejected' };
}

/** How a click-to-call comes out that no agent took. */
export function clickWithout(reason: OutcomeReason): Outcome {
  return reason === 'agent-rejected' ? 'cancelled' : 'failed';
}

const incoming: readonly Omit<IncomingRow, 'direction'>[] = [
  {
    name: 'an agent answers and the caller hangs up',
    agents: [[{}]],
    caller: { talkMs: 2_000 },
    expected: talked({ by: 'remote' }),
  },
  {
    name: 'an agent answers and hangs up',
    agents: [[{ talkMs: 2_000 }]],
    expected: talked({ by: 'agent' }),
  },
  {
    name: 'a caller who hides his number is answered and hangs up',
    agents: [[{}]],
    caller: { talkMs: 500, from: 'anonymous' },
    expected: talked({ by: 'remote' }),
  },
  {
    name: 'an agent whose phone sends early media answers',
    agents: [[{ provisional: 183, ringMs: 500 }]],
    caller: { talkMs: 500 },
    expected: { ...talked({ by: 'remote' }), roles: ['answered'] },
  },
  {
    name: 'the caller gives up while the agent’s phone rings',
    agents: [[{ ringMs: 'forever' }]],
    caller: { giveUpMs: A_WHILE_MS },
    expected: { ...missed({ reason: 'caller-gave-up', events: rangAndEnded, roles: ['rang'] }), sip: 487 },
  },
  {
    name: 'the caller gives up before a phone rings',
    agents: [[{ provisional: 'none', ringMs: 'forever' }]],
    caller: { giveUpMs: A_WHILE_MS },
    expected: { ...missed({ reason: 'caller-gave-up', events: ended, roles: ['requested'] }), sip: 487 },
  },
  ...sipAnswers
    .filter(({ status }) => agentAnswersTried.includes(status))
    .map(({ status, phrase, agent }) => ({
      name: `the agent’s phone rings and answers ${status} ${phrase}`,
      agents: [[{ refuse: `${status} ${phrase}` }]],
      caller: listening,
      expected: missed({ reason: agent, events: rangAndHandedBack, roles: ['rang'], fallback: true }),
    })),
  {
    name: 'the agent’s phone is busy and says so without ringing',
    agents: [[{ provisional: 'none', refuse: '486 Busy Here' }]],
    caller: listening,
    expected: missed({ reason: 'agent-busy', events: ended, roles: ['requested'], fallback: true }),
  },
  {
    name: 'the agent does not answer in time',
    agents: [[{ ringMs: 'forever' }]],
    ringSeconds: 5,
    caller: listening,
    expected: missed({ reason: 'agent-no-answer', events: rangAndHandedBack, roles: ['rang'], fallback: true }),
    seconds: 6,
  },
  {
    name: 'the agent’s phone takes the call but never rings',
    agents: [[{ provisional: 'none', ringMs: 'forever' }]],
    ringSeconds: 5,
    caller: listening,
    expected: missed({ reason: 'device-unreachable', events: ended, roles: ['requested'], fallback: true }),
    seconds: 6,
  },
  {
    name: 'the agent’s phone is registered and gone',
    agents: [[{ gone: true }]],
    ringSeconds: 5,
    caller: listening,
    expected: missed({ reason: 'device-unreachable', events: ended, roles: ['requested'], fallback: true }),
    seconds: 6,
  },
  {
    name: 'the agent’s phone is not registered',
    agents: [[]],
    caller: listening,
    expected: missed({ reason: 'device-unreachable', events: ended, roles: ['requested'], fallback: true }),
  },
  {
    name: 'the fall-back takes the caller and hangs up itself',
    agents: [[]],
    expected: {
      ...missed({ reason: 'device-unreachable', events: ended, roles: ['requested'], fallback: true }),
      by: 'system',
    },
    seconds: 6,
  },
  {
    name: 'neither of two agents has a registered phone',
    agents: [[], []],
    caller: listening,
    expected: missed({
      reason: 'device-unreachable',
      events: ended,
      roles: ['requested', 'requested'],
      fallback: true,
    }),
  },
  {
    name: 'the line’s agents have no device',
    agents: [[]],
    setting: 'no-devices',
    caller: listening,
    expected: missed({ reason: 'device-unreachable', events: ended, roles: [], fallback: true }),
  },
  {
    name: 'the number is no line of ours',
    agents: [[]],
    setting: 'no-line',
    caller: listening,
    expected: null,
  },
  {
    name: 'the caller’s number is blocked',
    agents: [[{}]],
    blocks: 'number',
    expected: blocked,
  },
  {
    name: 'all numbers that begin like the caller’s are blocked',
    agents: [[{}]],
    blocks: 'beginning',
    expected: blocked,
  },
  {
    name: 'callers who show no number are blocked, and one calls',
    agents: [[{}]],
    blocks: 'anonymous',
    caller: { from: 'anonymous' },
    expected: blocked,
  },
  {
    name: 'callers who show no number are blocked, and one who shows his is answered and hangs up',
    agents: [[{}]],
    blocks: 'anonymous',
    caller: { talkMs: 500 },
    expected: talked({ by: 'remote' }),
  },
  {
    name: 'two agents ring, the first to answer gets the caller and the other’s phone stops',
    agents: [[{ ringMs: 800 }], [{ ringMs: 'forever' }]],
    caller: { talkMs: 500 },
    expected: { ...talked({ by: 'remote' }), roles: ['answered', 'rang'] },
  },
  {
    name: 'two agents answer at one moment and one of them gets the caller',
    agents: [[{ ringMs: 800 }], [{ ringMs: 800 }]],
    eitherWins: true,
    caller: { talkMs: 500 },
    expected: { ...talked({ by: 'remote' }), roles: ['answered', 'rang'] },
  },
  {
    name: 'of two agents one is busy and the other answers',
    agents: [[{ provisional: 'none', refuse: '486 Busy Here' }], [{ ringMs: 800 }]],
    caller: { talkMs: 500 },
    expected: { ...talked({ by: 'remote' }), roles: ['requested', 'answered'] },
  },
  {
    name: 'of two agents one is not registered and the other answers',
    agents: [[], [{}]],
    caller: { talkMs: 500 },
    expected: { ...talked({ by: 'remote' }), roles: ['requested', 'answered'] },
  },
  {
    name: 'of two agents one declines and the other is busy',
    agents: [[{ refuse: '603 Decline' }], [{ refuse: '486 Busy Here' }]],
    caller: listening,
    expected: missed({ reason: 'agent-rejected', events: rangAndHandedBack, roles: ['rang', 'rang'], fallback: true }),
  },
  {
    name: 'an agent has two phones at one address and the second answers',
    agents: [[{ ringMs: 'forever' }, { ringMs: 800 }]],
    caller: { talkMs: 500 },
    expected: talked({ by: 'remote' }),
  },
  {
    name: 'an agent who talks already is called, answers, and the caller hangs up',
    agents: [[{}]],
    setting: 'first-agent-talks',
    caller: { talkMs: 500 },
    expected: talked({ by: 'remote' }),
  },
  {
    name: 'an agent’s mobile phone answers, 1 is pressed there, and the caller hangs up',
    agents: [[]],
    mobile: { key: '1', isOnly: true },
    caller: { talkMs: 1_000 },
    expected: talked({ by: 'remote' }),
  },
  {
    name: 'an agent’s mobile phone that need not confirm answers, and the caller hangs up',
    agents: [[]],
    mobile: { confirm: 'none', isOnly: true },
    caller: { talkMs: 1_000 },
    expected: talked({ by: 'remote' }),
  },
  {
    name: 'the mailbox of an agent’s mobile phone answers, then his desk phone',
    agents: [[{ ringMs: 4_000 }]],
    mobile: {},
    caller: { talkMs: 1_000 },
    expected: { ...talked({ by: 'remote' }), roles: ['answered', 'rang'] },
  },
  {
    name: 'the mailbox of an agent’s mobile phone answers, nobody presses 1, and nobody else answers',
    agents: [[{ ringMs: 'forever' }]],
    mobile: {},
    ringSeconds: 5,
    caller: listening,
    expected: missed({ reason: 'agent-no-answer', events: rangAndHandedBack, roles: ['rang', 'rang'], fallback: true }),
    seconds: 17,
  },
  {
    name: 'another key than 1 is pressed on the agent’s mobile phone',
    agents: [[]],
    mobile: { key: '2', isOnly: true },
    caller: listening,
    expected: missed({ reason: 'agent-rejected', events: rangAndHandedBack, roles: ['rang'], fallback: true }),
  },
  {
    name: 'the agent’s mobile phone is busy',
    agents: [[]],
    mobile: { refuse: '486 Busy Here', isOnly: true },
    caller: listening,
    expected: missed({ reason: 'agent-busy', events: rangAndHandedBack, roles: ['rang'], fallback: true }),
  },
  {
    name: 'the caller gives up while the agent’s mobile phone asks to press 1',
    agents: [[]],
    mobile: { isOnly: true },
    caller: { giveUpMs: A_WHILE_MS },
    expected: { ...missed({ reason: 'caller-gave-up', events: rangAndEnded, roles: ['rang'] }), sip: 487 },
  },
  {
    name: 'the API hangs up while the agent’s phone rings',
    agents: [[{ ringMs: 'forever' }]],
    apiHangsUp: 'agent-rings',
    expected: {
      outcome: 'cancelled',
      reason: 'cancelled-by-api',
      by: 'api',
      sip: null,
      events: rangAndEnded,
      roles: ['rang'],
    },
  },
  {
    name: 'the API hangs up while the parties talk',
    agents: [[{}]],
    apiHangsUp: 'talking',
    expected: talked({ by: 'api' }),
  },
];

const clicks: readonly Omit<ClickRow, 'direction'>[] = [
  {
    name: 'the customer answers and hangs up',
    agents: [[{}]],
    customer: { talkMs: 2_000 },
    expected: talked({ by: 'remote' }),
  },
  {
    name: 'the customer answers and the agent hangs up',
    agents: [[{ talkMs: 3_500 }]],
    customer: {},
    expected: talked({ by: 'agent' }),
  },
  {
    name: 'the agent’s phone answers by itself (Call-Info), then the customer',
    agents: [[{ ringMs: 0 }]],
    autoAnswer: 'call-info',
    customer: { talkMs: 500 },
    expected: talked({ by: 'remote' }),
  },
  {
    name: 'the agent’s phone answers by itself (Alert-Info), then the customer',
    agents: [[{ ringMs: 0 }]],
    autoAnswer: 'alert-info',
    customer: { talkMs: 500 },
    expected: talked({ by: 'remote' }),
  },
  {
    name: 'the agent has two phones at one address and the second answers, then the customer',
    agents: [[{ ringMs: 'forever' }, { ringMs: 800 }]],
    customer: { talkMs: 500 },
    expected: talked({ by: 'remote' }),
  },
  {
    name: 'the customer’s carrier sends early media, then the customer answers',
    agents: [[{}]],
    customer: { provisional: 183, ringMs: 800, talkMs: 500 },
    expected: talked({ by: 'remote' }),
  },
  ...sipAnswers
    .filter(({ status }) => agentAnswersTried.includes(status))
    .map(({ status, phrase, agent }) => ({
      name: `the agent’s phone rings and answers ${status} ${phrase}`,
      agents: [[{ refuse: `${status} ${phrase}` }]],
      customer: {},
      expected: {
        outcome: clickWithout(agent),
        reason: agent,
        by: 'agent',
        sip: status,
        events: ended,
        roles: ['rang'],
      } as const,
    })),
  {
    name: 'the agent does not answer in time',
    agents: [[{ ringMs: 'forever' }]],
    customer: {},
    expected: { outcome: 'failed', reason: 'agent-no-answer', by: 'system', sip: null, events: ended, roles: ['rang'] },
    seconds: 31,
  },
  {
    name: 'the agent’s mobile phone, his only device, answers, 1 is pressed there, then the customer answers',
    agents: [[]],
    mobile: { key: '1', isOnly: true },
    customer: { talkMs: 1_000 },
    expected: talked({ by: 'remote' }),
  },
  {
    name: 'the agent’s desk phone is not registered, his mobile phone answers and 1 is pressed there',
    agents: [[]],
    mobile: { key: '1' },
    customer: { talkMs: 1_000 },
    expected: talked({ by: 'remote' }),
  },
  {
    name: 'the mailbox of the agent’s mobile phone answers, and nobody presses 1',
    agents: [[]],
    mobile: { isOnly: true },
    customer: {},
    expected: { outcome: 'failed', reason: 'agent-no-answer', by: 'system', sip: null, events: ended, roles: ['rang'] },
    seconds: 17,
  },
  {
    name: 'another key than 1 is pressed on the agent’s mobile phone',
    agents: [[]],
    mobile: { key: '2', isOnly: true },
    customer: {},
    expected: {
      outcome: 'cancelled',
      reason: 'agent-rejected',
      by: 'agent',
      sip: null,
      events: ended,
      roles: ['rang'],
    },
  },
  {
    name: 'the agent’s mobile phone is busy',
    agents: [[]],
    mobile: { refuse: '486 Busy Here', isOnly: true },
    customer: {},
    expected: { outcome: 'failed', reason: 'agent-busy', by: 'agent', sip: 486, events: ended, roles: ['rang'] },
  },
  {
    name: 'the agent’s phone is not registered',
    agents: [[]],
    customer: {},
    expected: { refused: 409, problem: 'agent-unreachable' },
  },
  {
    name: 'the customer’s number is blocked',
    agents: [[{}]],
    blocks: 'number',
    customer: {},
    expected: { refused: 422, problem: 'number-blocked' },
  },
  ...sipAnswers.map(({ status, phrase, customer }) => ({
    name: `the customer’s phone rings and answers ${status} ${phrase}`,
    agents: [[{}]],
    customer: { refuse: `${status} ${phrase}` },
    expected: remoteRefused({ ...customer, sip: status }),
  })),
  {
    name: 'the carrier refuses with 503 before anything rings',
    agents: [[{}]],
    customer: { provisional: 'none', refuse: '503 Service Unavailable' },
    expected: { ...remoteRefused({ ...failed('congestion'), sip: 503 }), events: ended },
  },
  {
    name: 'the carrier gives up with 408 before anything rings',
    agents: [[{}]],
    customer: { provisional: 'none', refuse: '408 Request Timeout' },
    expected: { ...remoteRefused({ ...failed('trunk-unreachable'), sip: 408 }), events: ended },
  },
  {
    name: 'the carrier sends early media, then 503',
    agents: [[{}]],
    customer: { provisional: 183, ringMs: 800, refuse: '503 Service Unavailable' },
    expected: remoteRefused({ ...failed('congestion'), sip: 503 }),
  },
  {
    name: 'the carrier sends early media, then 486',
    agents: [[{}]],
    customer: { provisional: 183, ringMs: 800, refuse: '486 Busy Here' },
    expected: remoteRefused({ outcome: 'busy', reason: 'remote-busy', sip: 486 }),
  },
  {
    name: 'the customer does not answer in time',
    agents: [[{}]],
    customer: { ringMs: 'forever' },
    expected: { ...remoteRefused({ ...noAnswer('remote-no-answer'), sip: null }), by: 'system' },
    seconds: 62,
  },
  {
    name: 'the trunk has no address',
    agents: [[{}]],
    customer: 'no-contact',
    expected: {
      ...remoteRefused({ ...failed('trunk-unreachable'), sip: 480 }),
      by: 'system',
      sip: null,
      events: ended,
    },
  },
  {
    name: 'nobody listens at the trunk’s address',
    agents: [[{}]],
    customer: 'nobody-listens',
    expected: { ...remoteRefused({ ...failed('trunk-unreachable'), sip: 408 }), events: ended },
    seconds: 33,
  },
  {
    name: 'the agent hangs up while the customer’s phone rings',
    agents: [[{ talkMs: A_WHILE_MS }]],
    customer: { ringMs: 'forever' },
    expected: agentGaveUp(rangAndEnded),
  },
  {
    name: 'the agent hangs up before the customer’s phone rings',
    agents: [[{ talkMs: A_WHILE_MS }]],
    customer: { provisional: 'none', ringMs: 'forever' },
    expected: agentGaveUp(ended),
  },
  {
    name: 'the API hangs up while the agent’s phone rings',
    agents: [[{ ringMs: 'forever' }]],
    customer: {},
    apiHangsUp: 'agent-rings',
    expected: cancelled(ended, 'rang'),
  },
  {
    name: 'the API hangs up when the customer is called but does not ring yet',
    agents: [[{}]],
    customer: { provisional: 'none', ringMs: 'forever' },
    apiHangsUp: 'customer-called',
    expected: cancelled(ended, 'answered'),
  },
  {
    name: 'the API hangs up while the customer’s phone rings',
    agents: [[{}]],
    customer: { ringMs: 'forever' },
    apiHangsUp: 'customer-rings',
    expected: cancelled(rangAndEnded, 'answered'),
  },
  {
    name: 'the API hangs up while the parties talk',
    agents: [[{}]],
    customer: {},
    apiHangsUp: 'talking',
    expected: talked({ by: 'api' }),
  },
];

/** The agent's phones ring when the customer has answered. */
const customersFirst: readonly Omit<ClickRow, 'direction'>[] = [
  {
    name: 'the customer answers, then the agent, and the customer hangs up',
    agents: [[{}]],
    customer: { talkMs: 3_000 },
    expected: talked({ by: 'remote' }),
  },
  {
    name: 'the customer answers, then the agent, who hangs up',
    agents: [[{ talkMs: 2_000 }]],
    customer: {},
    expected: talked({ by: 'agent' }),
  },
  {
    name: 'the customer answers, and of the agent’s two phones at one address the second',
    agents: [[{ ringMs: 'forever' }, { ringMs: 800 }]],
    customer: { talkMs: 3_000 },
    expected: talked({ by: 'remote' }),
  },
  {
    name: 'the customer answers, then the agent’s mobile phone, where 1 is pressed, and the customer hangs up',
    agents: [[]],
    mobile: { key: '1', isOnly: true },
    customer: { talkMs: 8_000 },
    expected: talked({ by: 'remote' }),
  },
  {
    name: 'the customer answers, then the mailbox of the agent’s mobile phone, and nobody presses 1',
    agents: [[]],
    mobile: { isOnly: true },
    customer: {},
    expected: abandoned({ by: 'system', sip: null }),
    seconds: 17,
  },
  {
    name: 'the agent’s phone is not registered',
    agents: [[]],
    customer: {},
    expected: { refused: 409, problem: 'agent-unreachable' },
  },
  ...sipAnswers
    .filter(({ status }) => customerAnswersTried.includes(status))
    .map(({ status, phrase, customer }) => ({
      name: `the customer’s phone rings and answers ${status} ${phrase}`,
      agents: [[{}]],
      customer: { refuse: `${status} ${phrase}` },
      expected: { ...remoteRefused({ ...customer, sip: status }), roles: ['requested'] } as const,
    })),
  {
    name: 'the customer does not answer in time',
    agents: [[{}]],
    customer: { ringMs: 'forever' },
    expected: {
      ...remoteRefused({ ...noAnswer('remote-no-answer'), sip: null }),
      by: 'system',
      roles: ['requested'],
    },
    seconds: 62,
  },
  {
    name: 'the customer hangs up while the agent’s phone rings',
    agents: [[{ ringMs: 'forever' }]],
    customer: { talkMs: A_WHILE_MS },
    expected: { ...abandoned({ by: 'remote', sip: null }), reason: 'remote-hung-up' },
  },
  {
    name: 'the customer answers, and the agent’s phone is busy',
    agents: [[{ refuse: '486 Busy Here' }]],
    customer: {},
    expected: abandoned({ by: 'agent', sip: 486 }),
  },
  {
    name: 'the customer answers, and the agent declines',
    agents: [[{ refuse: '603 Decline' }]],
    customer: {},
    expected: abandoned({ by: 'agent', sip: 603 }),
  },
  {
    name: 'the customer answers, and the agent does not in time',
    agents: [[{ ringMs: 'forever' }]],
    customer: {},
    expected: abandoned({ by: 'system', sip: null }),
    seconds: 31,
  },
  {
    name: 'the customer answers, and the agent’s phone is registered and gone',
    agents: [[{ gone: true }]],
    customer: {},
    expected: { ...abandoned({ by: 'system', sip: null }), roles: ['requested'] },
    seconds: 31,
  },
  {
    name: 'the API hangs up while the customer’s phone rings',
    agents: [[{}]],
    customer: { ringMs: 'forever' },
    apiHangsUp: 'customer-rings',
    expected: cancelled(rangAndEnded, 'requested'),
  },
  {
    name: 'the API hangs up while the agent’s phone rings',
    agents: [[{ ringMs: 'forever' }]],
    customer: {},
    apiHangsUp: 'agent-rings',
    expected: cancelled(rangAndEnded, 'rang'),
  },
  {
    name: 'the API hangs up while the parties talk',
    agents: [[{}]],
    customer: {},
    apiHangsUp: 'talking',
    expected: talked({ by: 'api' }),
  },
];

function abandoned(how: Pick<Expected, 'by' | 'sip'>): Expected {
  return { outcome: 'failed', reason: 'abandoned', events: rangAndEnded, roles: ['rang'], ...how };
}

function talked({ by }: { readonly by: HangupParty }): Expected {
  return { outcome: 'answered', reason: 'talked', by, sip: null, events: answered, roles: ['answered'] };
}

function missed(how: Pick<Expected, 'reason' | 'events' | 'roles' | 'fallback'>): Expected {
  return { outcome: 'missed', by: 'remote', sip: null, ...how };
}

function remoteRefused(how: Pick<Expected, 'outcome' | 'reason' | 'sip'>): Expected {
  return { ...how, by: 'remote', events: rangAndEnded, roles: ['answered'] };
}

function agentGaveUp(events: Expected['events']): Expected {
  return { outcome: 'cancelled', reason: 'agent-hung-up', by: 'agent', sip: null, events, roles: ['answered'] };
}

function cancelled(events: Expected['events'], role: Participant['role']): Expected {
  return { outcome: 'cancelled', reason: 'cancelled-by-api', by: 'api', sip: null, events, roles: [role] };
}

/** Every way in which a call can come out: `docs/outcomes.md` and the tests on a real switch are made of it. */
export const outcomeRows: readonly OutcomeRow[] = [
  ...incoming.map((row): IncomingRow => ({ ...row, direction: 'incoming' })),
  ...clicks.map((row): ClickRow => ({ ...row, direction: 'click-to-call' })),
  ...customersFirst.map((row): ClickRow => ({ ...row, direction: 'customer-first' })),
];
