import type { Fact, FactSource } from './domain/fact.js';

type GapFact = Extract<Fact, { kind: 'gap' }>;

/**
 * What was missed of a call, for how long, and where it is known from instead, in words. Null where events told it after all.
 * @param facts The facts of the call that stand.
 */
export function tellGap(
  { leg, at, data: { what, until } }: GapFact,
  facts: readonly Fact[],
  names: ReadonlyMap<string, string>,
): string | null {
  const who = names.get(leg) ?? leg;
  const later = duration(until - at);
  const of = (kind: Fact['kind']): Fact | undefined => facts.find((fact) => fact.kind === kind && fact.leg === leg);
  switch (what) {
    case 'not-heard': {
      const from = sources(facts.filter((fact) => fact.source !== 'ringline' && fact.at >= at && fact.at <= until));
      return `Ringline did not hear from the PBX for ${later}; ${from === '' ? 'nothing is known to have happened in between' : `what happened in between is taken from ${from}`}.`;
    }
    case 'beginning-missed': {
      const begun = facts.filter(({ kind }) => kind === 'created').toSorted((a, b) => a.at - b.at)[0];
      if (begun === undefined || begun.source === 'switch') return null;
      return `Ringline did not hear this call begin; it learned of it ${later} later from ${sources([begun])}.`;
    }
    case 'answer-missed': {
      const answered = of('answered');
      if (answered === undefined || answered.source === 'switch') return null;
      return answered.source === 'estimate'
        ? `Ringline did not hear ${who} answer: found answered now, by ${sources([answered])}.`
        : `Ringline did not hear ${who} answer; when that was is taken from ${sources([answered])}.`;
    }
    case 'end-missed': {
      const ended = of('ended');
      if (ended === undefined || ended.source === 'switch') return null;
      return `Ringline did not hear the leg of ${who} end, and found that out ${later} later; when it ended is ${ended.source === 'estimate' ? 'inferred' : `taken from ${sources([ended])}`}.`;
    }
    case 'pbx-restarted':
      return `The PBX was restarted under this call; Ringline heard of it ${later} later.`;
  }
}

const words: Readonly<Record<Exclude<FactSource, 'ringline'>, string>> = {
  cel: 'Asterisk’s log',
  switch: 'events that came late',
  reconcile: 'what the PBX had afterwards',
  estimate: 'what the PBX had afterwards',
};

/** Who told these facts, best first. */
function sources(facts: readonly Fact[]): string {
  const told = new Set(facts.map(({ source }) => source));
  const named = (['cel', 'switch', 'reconcile', 'estimate'] as const).filter((source) => told.has(source));
  return [...new Set(named.map((source) => words[source]))].join(' and ');
}

/** Such as `0.4 s`, `12 s`, `5 min`. */
function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  return seconds < 120 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}
