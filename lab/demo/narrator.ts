/** Tells on standard error what happens; standard output is left to the one JSON document. */
export class Narrator {
  readonly #startedAt = Date.now() - process.uptime() * 1000;

  constructor() {
    // Whoever read it may be gone; the demo has to clean up all the same.
    process.stderr.on('error', () => undefined);
  }

  /** Since the command was started. */
  get seconds(): number {
    return (Date.now() - this.#startedAt) / 1000;
  }

  step(text: string): void {
    this.#write(`${this.seconds.toFixed(1).padStart(6)} s  ${text}`);
  }

  detail(text: string): void {
    this.#write(`          ${text}`);
  }

  /** As it is, for what is copied from the screen. */
  plain(text: string): void {
    this.#write(text);
  }

  #write(line: string): void {
    process.stderr.write(`${line}\n`);
  }
}
