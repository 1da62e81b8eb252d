import type { Fact } from './fact.js';

/**
 * The facts of one leg without those that a better witness replaces. Joining and parting repeat, and each source tells them
 * at times of its own, so that members cannot be matched one by one. The switch's log replaces the whole series of the
 * others when it tells of the leg from its beginning, of every room that they saw, and as far as they do. Until then both
 * stand, for a stay told twice is one stay: what is known is never lowered by a log that came half.
 */
export function standingSeries(facts: readonly Fact[]): readonly Fact[] {
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

function repeats({ kind }: Fact): boolean {
  return kind === 'joined' || kind === 'parted';
}

function roomOf(fact: Fact): string | null {
  return fact.kind === 'joined' || fact.kind === 'parted' ? fact.data.room : null;
}
