export interface HttpRequest {
  readonly method: string;
  /** With its query, as on the wire. */
  readonly path: string;
}

/**
 * Finds the requests in what a client sends over one HTTP/1.1 connection. Only what a fault proxy needs: where each
 * request begins, its method and path. Gives up silently after an upgrade, where no further request comes.
 */
export class HttpRequests {
  #pending = Buffer.alloc(0);
  #bodyLeft = 0;
  #chunked = false;
  #upgraded = false;

  /** Takes the next bytes and gives the requests whose header is complete with them. */
  feed(chunk: Buffer): HttpRequest[] {
    if (this.#upgraded) return [];
    const found: HttpRequest[] = [];
    this.#pending = Buffer.concat([this.#pending, chunk]);
    for (;;) {
      if (!this.#skipBody()) return found;
      const end = this.#pending.indexOf('\r\n\r\n');
      if (end < 0) return found;
      const header = this.#pending.subarray(0, end).toString('latin1');
      this.#pending = this.#pending.subarray(end + 4);
      const [method, path] = header.split('\r\n', 1)[0]?.split(' ') ?? [];
      this.#bodyLeft = Number(/^content-length:\s*(\d+)/im.exec(header)?.[1] ?? 0);
      this.#chunked = /^transfer-encoding:.*chunked/im.test(header);
      found.push({ method: method ?? '', path: path ?? '' });
      if (/^upgrade:/im.test(header)) {
        this.#upgraded = true;
        this.#pending = Buffer.alloc(0);
        return found;
      }
    }
  }

  /** False while the body is not over. */
  #skipBody(): boolean {
    if (this.#chunked) {
      const end = this.#pending.indexOf('0\r\n\r\n');
      if (end < 0) return false;
      this.#pending = this.#pending.subarray(end + 5);
      this.#chunked = false;
      return true;
    }
    const skipped = Math.min(this.#bodyLeft, this.#pending.length);
    this.#pending = this.#pending.subarray(skipped);
    this.#bodyLeft -= skipped;
    return this.#bodyLeft === 0;
  }
}
