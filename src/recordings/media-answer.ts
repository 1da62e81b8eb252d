import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { Problem } from '../common/problems.js';
import { parseRange } from './byte-range.js';
import type { StoredRecording } from './recording-storage.js';

/** A client that takes nothing for this long is cut off, ms: it holds a file and a socket. */
const IDLE_MS = 60_000;

export type Media = {
  readonly id: string;
  /** SHA-256 of the file. */
  readonly digest: Buffer;
  readonly file: StoredRecording;
};

/**
 * Answers with a recording, or the part of it that is asked for (RFC 9110): 200, 206, 304, or a 416. HEAD gets the headers.
 * @param onAccess Called before any sound is sent; sends nothing when it fails.
 * @throws {Problem} `range-not-satisfiable`
 */
export async function answerMedia(
  request: Request,
  response: Response,
  { id, digest, file }: Media,
  onAccess: (bytes: string) => Promise<void>,
): Promise<void> {
  const etag = `"${digest.toString('base64url')}"`;
  const close = async (): Promise<void> => {
    await file.close();
    response.end();
  };
  response.setHeader('ETag', etag);
  response.setHeader('Cache-Control', 'private, no-store');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Accept-Ranges', 'bytes');
  try {
    if (matches(request.headers['if-none-match'], etag)) {
      response.status(304);
      return await close();
    }
    const ifRange = request.headers['if-range'];
    const header = ifRange === undefined || ifRange === etag ? request.headers.range : undefined;
    const range = request.method === 'GET' ? parseRange(header, file.bytes) : ({ kind: 'whole' } as const);
    if (range.kind === 'unsatisfiable') {
      response.setHeader('Content-Range', `bytes */${file.bytes}`);
      throw new Problem('range-not-satisfiable', { detail: `The recording has ${file.bytes} bytes.`, field: 'Range' });
    }
    const { first, last } = range.kind === 'part' ? range : { first: 0, last: file.bytes - 1 };
    if (request.method === 'GET') await onAccess(`${first}-${last}`);
    response.setHeader('Content-Type', 'audio/wav');
    response.setHeader('Content-Length', String(last - first + 1));
    response.setHeader('Content-Disposition', `attachment; filename="${id}.wav"`);
    if (range.kind === 'part') response.setHeader('Content-Range', `bytes ${first}-${last}/${file.bytes}`);
    response.status(range.kind === 'part' ? 206 : 200);
    if (request.method !== 'GET') return await close();
    response.setTimeout(IDLE_MS, () => response.destroy());
    // A listener who leaves half-way is no failure.
    await pipeline(file.read({ first, last }), response).catch(() => response.destroy());
  } catch (error) {
    await file.close();
    throw error;
  }
}

function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}
