import type { CallLine, CallNumber } from './call.js';

/** A phone that may be rung for an agent. */
export type AgentPhone = {
  readonly agentId: string;
  readonly agentName: string;
  readonly endpoint: string;
  readonly autoAnswer: 'none' | 'call-info' | 'alert-info';
};

/** A click-to-call as it was accepted: all that is needed to place it, so that it survives a restart. */
export type ClickToCall = {
  readonly phones: readonly AgentPhone[];
  readonly to: CallNumber;
  readonly line: CallLine;
  /** What the switch dials for the customer: `PJSIP/<number>@<trunk>`. */
  readonly customerEndpoint: string;
  readonly tags: readonly string[];
  /** Longest talk time, seconds. */
  readonly limitSeconds: number;
};
