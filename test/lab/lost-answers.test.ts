import { beforeAll, describe, expect, it } from 'vitest';
import { lostAnswerKinds, proveLostAnswers, type LostAnswersProof } from '../../lab/proofs/lost-answers.js';

/** The same proof with ten times the calls: npm run prove -- lost-answers */
const CALLS_PER_KIND = 10;

describe('answers of create and dial that get lost', () => {
  let proof: LostAnswersProof;
  beforeAll(async () => {
    proof = await proveLostAnswers({ callsPerKind: CALLS_PER_KIND, seed: 1, limitMs: 150_000 });
  });

  it.each(lostAnswerKinds)('%s: every call completes or ends with its reason, and no phone rings twice', (kind) => {
    const figures = proof.kinds.find((one) => one.kind === kind);
    expect(figures).toMatchObject({ calls: CALLS_PER_KIND, lost: CALLS_PER_KIND, doubleInvites: 0, wrong: [] });
    expect((figures?.completed ?? 0) + (figures?.endedWithReason ?? 0)).toBe(CALLS_PER_KIND);
    // One lost answer a leg is no reason for a call to fail.
    expect(figures?.completed, JSON.stringify(figures?.outcomes)).toBeGreaterThanOrEqual(CALLS_PER_KIND - 1);
  });

  it('leave nothing behind in the switch, and the process stands', () => {
    expect(proof).toMatchObject({ leftChannels: 0, leftBridges: 0, survived: true, isComplete: true });
  });
});
