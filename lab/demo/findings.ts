import type { Narrator } from './narrator.js';

/** What did not hold, each in a sentence a person understands. */
export class Findings {
  readonly failures: string[] = [];

  constructor(private readonly narrator: Narrator) {}

  /** Says what held; a failure is named with what was seen instead. */
  check(holds: boolean, claim: string, seen?: string): void {
    if (holds) {
      this.narrator.detail(`ok    ${claim}${seen === undefined ? '' : ` (${seen})`}`);
      return;
    }
    const sentence = `${claim}: this does not hold${seen === undefined ? '' : ` (${seen})`}`;
    this.failures.push(sentence);
    this.narrator.detail(`FAIL  ${sentence}`);
  }

  get allHeld(): boolean {
    return this.failures.length === 0;
  }
}
