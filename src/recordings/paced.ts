import { setTimeout as sleep } from 'node:timers/promises';
import type { Readable } from 'node:stream';

/** What was being read broke off; that says nothing of where it was written to. */
export class TransferBroken extends Error {}

/**
 * Reads a stream no faster than told.
 * @param mostBytes More is an error: nobody fills our disk.
 * @throws {TransferBroken} when the stream fails or is too long.
 */
export async function* paced(content: Readable, bytesPerSecond: number, mostBytes: number): AsyncGenerator<Buffer> {
  const startedAt = performance.now();
  let bytes = 0;
  try {
    for await (const chunk of content as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > mostBytes) throw new Error(`more than ${mostBytes} bytes came`);
      yield chunk;
      const ahead = (bytes / bytesPerSecond) * 1000 - (performance.now() - startedAt);
      if (ahead > 10) await sleep(ahead);
    }
  } catch (error) {
    throw new TransferBroken(error instanceof Error ? error.message : String(error));
  } finally {
    content.destroy();
  }
}
