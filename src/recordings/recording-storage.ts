import type { Readable } from 'node:stream';

/** Where a recording lies. Made from a row, never from what a client sent. */
export type RecordingPlace = { readonly tenantId: string; readonly id: string; readonly plannedAt: Date };

/** What was written: not there under its name before it is kept. */
export type ReceivedRecording = {
  readonly bytes: number;
  /** The first bytes, at most `WAV_HEADER_BYTES`. */
  readonly head: Buffer;
  /** SHA-256. */
  readonly digest: Buffer;
  /** Makes it last, under its name. */
  keep(): Promise<void>;
  discard(): Promise<void>;
};

export type StoredRecording = {
  readonly bytes: number;
  /** From the first to the last of these bytes, both included. */
  read(range?: { readonly first: number; readonly last: number }): Readable;
  /** Of one that was not read. */
  close(): Promise<void>;
};

/** Where recordings are kept. */
export abstract class RecordingStorage {
  /** Writes aside. Nothing is left of it when it fails, but what a killed process leaves. */
  abstract receive(place: RecordingPlace, content: AsyncIterable<Buffer>): Promise<ReceivedRecording>;

  /** Null when it is not there. */
  abstract open(place: RecordingPlace): Promise<StoredRecording | null>;

  /** Removing what is not there is no failure. */
  abstract remove(place: RecordingPlace): Promise<void>;

  /**
   * Removes what killed processes left, and files of which `isWanted` tells that no row wants them. Only what was written
   * before `before` is looked at.
   * @param isWanted Which of these ids of recordings are wanted; asked for some hundreds at a time.
   * @returns how many files were removed.
   */
  abstract sweep(before: Date, isWanted: (ids: readonly string[]) => Promise<ReadonlySet<string>>): Promise<number>;
}
