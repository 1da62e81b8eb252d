import { createHmac } from 'node:crypto';

/** Numbers that look like chance and are always the same for the same key and text. */
export class KeyedChance {
  constructor(private readonly seed: string) {}

  /** `length` whole numbers from 0 up to but not including `below` (at most 256). */
  numbers(purpose: string, text: string, length: number, below: number): number[] {
    const found: number[] = [];
    // Bytes at the end of the range would make small numbers more frequent.
    const fair = 256 - (256 % below);
    for (let block = 0; found.length < length; block++) {
      const bytes = createHmac('sha256', this.seed).update(`${purpose}\0${block}\0${text}`).digest();
      for (const byte of bytes) if (byte < fair && found.length < length) found.push(byte % below);
    }
    return found;
  }

  /** One number up to 2^32. */
  number(purpose: string, text: string): number {
    return createHmac('sha256', this.seed).update(`${purpose}\0${text}`).digest().readUInt32BE(0);
  }

  hex(purpose: string, text: string): string {
    return createHmac('sha256', this.seed).update(`${purpose}\0${text}`).digest('hex');
  }
}
