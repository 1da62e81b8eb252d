import type { CallLine, CallNumber, OutcomeReason } from './call.js';
import type { ClickToCall, RingLine } from './plan.js';

/**
 * Who says so, worst first. A better source replaces what a worse one said about the same thing.
 * `estimate`: inferred after a gap. `reconcile`: read from the switch's present state. `switch`: its events.
 * `cel`: its own log. `ringline`: what we did or were asked; nobody knows that better.
 */
export const factSources = ['estimate', 'reconcile', 'switch', 'cel', 'ringline'] as const;
export type FactSource = (typeof factSources)[number];

/** Marks the end of a leg that ended because its switch was restarted. */
export const NODE_RESTARTED = 'the PBX was restarted';

export type LegSide = 'remote' | 'agent';

/** Why Ringline ended a leg. */
export const releaseReasons = [
  'answered-elsewhere',
  'other-side-left',
  'no-answer',
  'cancelled',
  'handed-back',
  'service-stopped',
  'limit',
  'orphan',
] as const;
export type ReleaseReason = (typeof releaseReasons)[number];

/** What each kind of fact tells. Kinds of the first group concern the whole call: their leg is the call's id. */
export type FactDetail = {
  /** The call came to be. Only ever told by Ringline. */
  readonly placed:
    | {
        readonly direction: 'inbound';
        readonly from: CallNumber;
        readonly to: CallNumber;
        readonly line: CallLine;
        readonly plan: RingLine;
      }
    | {
        readonly direction: 'outbound';
        readonly from: CallNumber;
        readonly to: CallNumber;
        readonly line: CallLine;
        readonly plan: ClickToCall;
      };
  /** Somebody wants the call to end. */
  readonly 'cancel-asked': { readonly by: 'api' | 'system'; readonly reason: OutcomeReason };
  /** Ringline let the caller go back to the dial plan. */
  readonly 'handed-back': { readonly reason: OutcomeReason };
  /** No phone is registered at an endpoint that should ring. Key: the endpoint. */
  readonly unreachable: { readonly agentId: string; readonly endpoint: string };
  /** Somebody wrote to the record. Key: id of the change. */
  readonly annotated: {
    readonly note?: string | null;
    readonly disposition?: string | null;
    readonly tags?: readonly string[];
  };

  /** Ringline means to make this leg. */
  readonly planned: {
    readonly side: LegSide;
    readonly agentId: string | null;
    readonly device: string;
    readonly contact: string | null;
  };
  /** The leg exists in the switch. */
  readonly created: {
    readonly side: LegSide;
    readonly linkedId: string | null;
    readonly sipCallId: string | null;
    /** What the switch itself calls the leg. */
    readonly name: string | null;
  };
  /** Ringline is about to dial the leg: written before the request goes out, so that it is never repeated blindly. */
  readonly 'dial-sent': Record<string, never>;
  /** The leg could not be made or dialled. */
  readonly refused: { readonly reason: OutcomeReason; readonly text: string };
  /** The switch has sent the invitation. */
  readonly dialling: Record<string, never>;
  readonly ringing: Record<string, never>;
  readonly progress: Record<string, never>;
  readonly answered: Record<string, never>;
  /** The leg came together with others. Key: the place where they meet, and the time. */
  readonly joined: { readonly room: string };
  readonly parted: { readonly room: string };
  /** The leg is about to end: its own party left, or something in the switch ends it. */
  readonly 'hangup-asked': { readonly byParty: boolean };
  /** A Q.850 cause heard about the leg's end. Key: the cause. */
  readonly cause: { readonly q850: number };
  /** Ringline ends this leg. */
  readonly released: { readonly why: ReleaseReason };
  /** The leg is no longer under Ringline's control; it may live on in the dial plan. */
  readonly 'left-control': Record<string, never>;
  readonly ended: { readonly q850: number | null; readonly sip: number | null; readonly text: string | null };
};

export type FactKind = keyof FactDetail;

/** One thing learned about a leg. Identity within a node's boot: `(leg, kind, key)`. */
export type Fact = {
  readonly [K in FactKind]: {
    readonly leg: string;
    readonly kind: K;
    /** Empty for what happens once; the source's own identity for what repeats. */
    readonly key: string;
    /** When it happened, ms since the epoch, by the switch's clock. */
    readonly at: number;
    readonly source: FactSource;
    readonly data: FactDetail[K];
  };
}[FactKind];

export function factId(fact: Pick<Fact, 'leg' | 'kind' | 'key'>): string {
  return `${fact.leg}\n${fact.kind}\n${fact.key}`;
}

/**
 * What stands of two facts with one identity: the better source's; of equal sources the earlier. What one witness does not
 * know, such as a SIP status that only events tell or the party that only the log names, is kept from the other; of a guess
 * nothing is kept. Associative and commutative, so any order of arrival leaves the same facts.
 */
export function standingFact(a: Fact, b: Fact): Fact {
  const [better, worse] = stands(a, b) ? [a, b] : [b, a];
  return worse.source === 'estimate' ? better : completed(better, worse);
}

/** The switch's events tell these when they begin, its log when they are done: the first to tell is right. */
const toldAtOnce: ReadonlySet<FactKind> = new Set(['hangup-asked', 'left-control']);

function stands(a: Fact, b: Fact): boolean {
  const rank = rankOf(a) - rankOf(b);
  if (rank !== 0) return rank > 0;
  if (a.at !== b.at) return a.at < b.at;
  if (a.source !== b.source) return a.source < b.source;
  return isCompleted(a) || JSON.stringify(a.data) <= JSON.stringify(b.data);
}

function rankOf({ kind, source }: Fact): number {
  return factSources.indexOf(source === 'cel' && toldAtOnce.has(kind) ? 'switch' : source);
}

/** Kinds of which no single witness knows every detail. */
function isCompleted({ kind }: Fact): boolean {
  return kind === 'created' || kind === 'ended' || kind === 'hangup-asked';
}

/**
 * Where two witnesses differ in a detail, the same one stands in every order. That a party left stands: the switch itself
 * asks for the leg's end once more then, mostly within the same millisecond.
 */
function completed(better: Fact, worse: Fact): Fact {
  if (!isCompleted(better)) return better;
  const mine = better.data as Readonly<Record<string, unknown>>;
  const theirs = worse.data as Readonly<Record<string, unknown>>;
  const data = Object.fromEntries(Object.keys(mine).map((name) => [name, known(mine[name], theirs[name])]));
  return Object.keys(mine).every((name) => data[name] === mine[name]) ? better : ({ ...better, data } as Fact);
}

function known(a: unknown, b: unknown): unknown {
  if (a == null || b == null) return a ?? b ?? null;
  if (typeof a === 'boolean' && typeof b === 'boolean') return a || b;
  return JSON.stringify(a) <= JSON.stringify(b) ? a : b;
}
