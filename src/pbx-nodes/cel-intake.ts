import type { CelAnswer } from './cel.schema.js';

/** Where lines of Asterisk's log are understood: the process part that holds the sessions. A provider token. */
export abstract class CelIntake {
  /**
   * Stores what lines of one node's log tell, and answers when that is done.
   * @throws {Problem} `cel-not-taken` or `cel-busy`; the same lines may be given again
   */
  abstract takeCel(nodeId: string, lines: readonly string[]): Promise<CelAnswer>;
}
