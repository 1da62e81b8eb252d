import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** Where a secret is stored. Bound into the cipher text, so that a value copied to another row does not open. */
export type SecretPlace = { readonly table: string; readonly column: string; readonly id: string };

const VERSION = 'v1';

/**
 * Encrypts secrets at rest: AES-256-GCM, a random 96-bit nonce per value, the row as additional data.
 * A sealed text is `v1.<key id>.<base64url of nonce, tag, cipher text>`; the key id tells which key a rotation left behind.
 */
export class SecretBox {
  readonly keyId: string;
  readonly #key: Buffer;

  /** @param key 32 bytes, as hex or base64. */
  constructor(key: string) {
    this.#key = Buffer.from(key, /^[0-9a-f]{64}$/i.test(key) ? 'hex' : 'base64');
    if (this.#key.length !== 32) throw new Error('a secret key has 32 bytes');
    this.keyId = createHash('sha256').update(this.#key).digest('hex').slice(0, 8);
  }

  seal(secret: string, place: SecretPlace): string {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(additionalData(place));
    const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
    return `${VERSION}.${this.keyId}.${Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url')}`;
  }

  /** @throws {Error} when the text was sealed with another key, for another row, or was changed. */
  open(sealed: string, place: SecretPlace): string {
    const [version, keyId, body] = sealed.split('.');
    if (version !== VERSION || body === undefined)
      throw new Error(`${place.table}.${place.column} is not a sealed secret`);
    if (keyId !== this.keyId) {
      throw new Error(`${place.table}.${place.column} was sealed with key ${keyId}, SECRET_KEY is key ${this.keyId}`);
    }
    const bytes = Buffer.from(body, 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, 12))
      .setAAD(additionalData(place))
      .setAuthTag(bytes.subarray(12, 28));
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
  }

  /**
   * Signs a text: HMAC-SHA256 with a key of its own for each purpose (HKDF, RFC 5869), so that no signature stands for
   * anything else.
   */
  sign(text: string, purpose: string): Buffer {
    const key = Buffer.from(hkdfSync('sha256', this.#key, '', `ringline ${purpose}`, 32));
    return createHmac('sha256', key).update(text).digest();
  }
}

function additionalData(place: SecretPlace): Buffer {
  return Buffer.from(JSON.stringify([place.table, place.column, place.id]));
}
