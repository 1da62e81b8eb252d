import { twiceTold, type Fact, type FactKind } from './fact.js';

export function factsByLeg(facts: Iterable<Fact>): Map<string, Fact[]> {
  const byLeg = new Map<string, Fact[]>();
  for (const fact of facts) {
    const group = byLeg.get(fact.leg);
    if (group === undefined) byLeg.set(fact.leg, [fact]);
    else group.push(fact);
  }
  return byLeg;
}

/** The facts of one leg that stand where events and the switch's log told of it: what only one knows, and nothing twice. */
export function standingFacts(facts: readonly Fact[]): readonly Fact[] {
  if (facts.every(({ source }) => source !== 'cel')) return facts;
  return withWitnessesJoined(withoutReplacedSeries(facts));
}

/**
 * Joining and parting repeat, and each source tells them at times of its own, so that members cannot be matched one by one.
 * The log replaces the whole series of the others when it tells of the leg from its beginning, of every room that they saw,
 * and as far as they do. Until then both stand, for a stay told twice is one stay: what is known is never lowered by a log
 * that came half.
 */
function withoutReplacedSeries(facts: readonly Fact[]): readonly Fact[] {
  const logged = facts.filter(({ source }) => source === 'cel');
  const others = facts.filter((fact) => repeats(fact) && fact.source !== 'cel');
  if (others.length === 0 || !logged.some(({ kind }) => kind === 'created')) return facts;
  const reachesTo = logged.some(({ kind }) => kind === 'ended') ? Infinity : Math.max(...logged.map(({ at }) => at));
  const rooms = new Set(logged.filter(({ kind }) => kind === 'joined').map(roomOf));
  const isReplaced = others.every(
    (fact) => fact.at <= reachesTo && (fact.kind === 'parted' || rooms.has(roomOf(fact))),
  );
  return isReplaced ? facts.filter((fact) => !others.includes(fact)) : facts;
}

/** Makes one fact of what both told. */
function withWitnessesJoined(facts: readonly Fact[]): readonly Fact[] {
  const isLogged = (fact: Fact): boolean => fact.source === 'cel' && twiceTold.has(fact.kind);
  const logged = new Map(facts.filter(isLogged).map((fact) => [fact.kind, fact]));
  const told = new Set(facts.flatMap((fact) => (isLogged(fact) || fact.source === 'estimate' ? [] : [fact.kind])));
  const joined = facts.flatMap((fact) => {
    const log = logged.get(fact.kind);
    if (log === undefined) return [fact];
    if (fact === log) return told.has(fact.kind) ? [] : [fact];
    return fact.source === 'estimate' ? [] : [together(fact, log)];
  });
  const hasLeftByHangup =
    logged.has('left-control') && logged.get('left-control')?.at === logged.get('hangup-asked')?.at;
  return hasLeftByHangup ? withHangupFirst(joined) : joined;
}

/**
 * The log writes at one moment that a leg left our control and was hung up where it left because it was hung up. An event of
 * the leaving alone comes some ms before that, and does not make it one that lived on in the dial plan.
 */
function withHangupFirst(facts: readonly Fact[]): readonly Fact[] {
  const leftAt = facts.find(({ kind }) => kind === 'left-control')?.at ?? Infinity;
  return facts.map((fact) => (fact.kind === 'hangup-asked' && fact.at > leftAt ? { ...fact, at: leftAt } : fact));
}

/**
 * The log writes these a moment later, or when they are done; events say when they begin. The first to tell is right: that
 * keeps a caller's leg, too, before those that were planned at the time at which it came to be.
 */
const toldAtOnce: ReadonlySet<FactKind> = new Set(['created', 'hangup-asked', 'left-control']);

/** The log's time is its own, an event's is that of the sender; the log knows no SIP status and no Call-ID. */
function together(told: Fact, log: Fact): Fact {
  const more = log.data as Readonly<Record<string, unknown>>;
  const data = Object.fromEntries(Object.entries(told.data).map(([name, value]) => [name, known(value, more[name])]));
  return { ...told, at: toldAtOnce.has(told.kind) ? Math.min(told.at, log.at) : log.at, data } as Fact;
}

/** Claims, such as that the party itself left, hold when either makes them. */
function known(told: unknown, logged: unknown): unknown {
  if (typeof told === 'boolean') return told || logged === true;
  return told ?? logged ?? null;
}

function repeats({ kind }: Fact): boolean {
  return kind === 'joined' || kind === 'parted';
}

function roomOf(fact: Fact): string | null {
  return fact.kind === 'joined' || fact.kind === 'parted' ? fact.data.room : null;
}
