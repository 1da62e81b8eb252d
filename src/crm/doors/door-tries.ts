const MINUTE_MS = 60_000;
/** Names that are kept apart in a minute; whoever makes up more shares one count with the others. */
const MOST_NAMES = 10_000;

/** How often something was tried in the present minute, by name. */
export class Tries {
  #minute = 0;
  readonly #counts = new Map<string, number>();

  constructor(
    private readonly mostAMinute: number,
    private readonly now: () => number = Date.now,
  ) {}

  /** Counts a try. @returns in how many seconds it may be tried again; null: it may now */
  take(name: string): number | null {
    const now = this.now();
    const minute = Math.floor(now / MINUTE_MS);
    if (minute !== this.#minute) this.#counts.clear();
    this.#minute = minute;
    const kept = this.#counts.has(name) || this.#counts.size < MOST_NAMES ? name : '';
    const count = (this.#counts.get(kept) ?? 0) + 1;
    this.#counts.set(kept, count);
    return count <= this.mostAMinute ? null : Math.ceil(((minute + 1) * MINUTE_MS - now) / 1000);
  }
}
