import { timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { SecretBox } from '../common/secret-box.js';
import { idSchema } from '../http/id.js';

/** What a link for playing allows, to whom it was given, and until when (ms). */
export type PlayGrant = {
  readonly tenantId: string;
  readonly recordingId: string;
  /** The API key that asked for it. The link dies with it. */
  readonly keyId: string;
  readonly expiresAt: number;
};

const PURPOSE = 'recording-play-link';
const pattern = /^rlp_([A-Za-z0-9_-]{1,300})\.([A-Za-z0-9_-]{43})$/;
const grantSchema = z.tuple([idSchema, idSchema, idSchema, z.int().min(0)]);

/** A token that says all by itself: what it allows, in the clear, and Ringline's signature. */
export function signPlayToken(box: SecretBox, { tenantId, recordingId, keyId, expiresAt }: PlayGrant): string {
  const text = Buffer.from(JSON.stringify([tenantId, recordingId, keyId, expiresAt])).toString('base64url');
  return `rlp_${text}.${signatureOf(box, text)}`;
}

/** What a token allows; null when it is not one of ours. Whether it has expired is for the caller to see. */
export function readPlayToken(box: SecretBox, token: string): PlayGrant | null {
  const [, text, signature] = pattern.exec(token) ?? [];
  if (text === undefined || signature === undefined) return null;
  // As text: several texts stand for the same bytes, and only one of them was given out.
  if (!timingSafeEqual(Buffer.from(signature), Buffer.from(signatureOf(box, text)))) return null;
  const [tenantId, recordingId, keyId, expiresAt] = grantSchema.parse(
    JSON.parse(Buffer.from(text, 'base64url').toString('utf8')),
  );
  return { tenantId, recordingId, keyId, expiresAt };
}

function signatureOf(box: SecretBox, text: string): string {
  return box.sign(text, PURPOSE).toString('base64url');
}
