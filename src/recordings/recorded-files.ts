import type { Readable } from 'node:stream';

/** Whether the switch writes a recording, has it as a file, or knows of none. `unknown`: it did not say. */
export type RecordingPresence = 'live' | 'stored' | 'absent' | 'unknown';

export type OpenedRecording =
  /** Its content has to be read to the end, or destroyed. `bytes`: as announced. */
  | { readonly kind: 'opened'; readonly bytes: number | null; readonly content: Readable }
  | { readonly kind: 'missing' }
  /** The switch could not be asked; that says nothing of the file. */
  | { readonly kind: 'unreachable'; readonly text: string };

/** The files that the switches have recorded, by the names that Ringline gave. Everything is bounded in time. */
export abstract class RecordedFiles {
  abstract presenceOf(nodeId: string, recording: string): Promise<RecordingPresence>;

  /** Ends one that is still being written. Its file stays. */
  abstract stop(nodeId: string, recording: string): Promise<void>;

  /** @param signal Ends the reading. */
  abstract open(nodeId: string, recording: string, signal: AbortSignal): Promise<OpenedRecording>;

  /** @returns true once the switch does not have the file (any more). */
  abstract remove(nodeId: string, recording: string): Promise<boolean>;
}
