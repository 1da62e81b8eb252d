import { parseCelLine, type CelLine } from '../cel/cel-line.js';

/** All that a log tells of channels that Asterisk counts together. */
export type Conversation = {
  /** When the channel with which it began came to be, ms by the switch's clock. */
  readonly startedAt: number;
  readonly channels: readonly string[];
  readonly from: string;
  readonly dialled: string;
  /** As they stand in the log, each once, in its order. */
  readonly lines: readonly string[];
};

type Group = {
  startedAt: number | null;
  isOlder: boolean;
  origin: CelLine;
  readonly channels: Set<string>;
  /** By their place in the log. */
  readonly lines: Map<string, number>;
};

/**
 * Sorts the lines of a log into the conversations that began in a stretch of time. Lines have to come in the order in which they
 * were written. Holds what began then, and nothing else.
 */
export class ConversationReader {
  /** By each channel of it. */
  readonly #groups = new Map<string, Group>();
  /** Channels that came to be before, and have not ended. */
  readonly #older = new Set<string>();
  lines = 0;
  unreadable = 0;

  /** @param from, to ms by the switch's clock; `to` is not in it. */
  constructor(
    private readonly from: number,
    private readonly to: number,
  ) {}

  add(text: string): void {
    const line = parseCelLine(text);
    this.lines++;
    if (line === null) {
      this.unreadable++;
      return;
    }
    if (line.at < this.from) {
      if (line.event === 'CHAN_START') this.#older.add(line.channel);
      if (line.event === 'CHAN_END') this.#older.delete(line.channel);
      return;
    }
    const group = this.#groupOf(line);
    if (group === null) return;
    if (!group.lines.has(text)) group.lines.set(text, this.lines);
    if (line.event === 'CHAN_START' && line.channel === line.linkedId) {
      if (group.startedAt === null || line.at < group.startedAt) group.origin = line;
      group.startedAt = Math.min(group.startedAt ?? Infinity, line.at);
    }
  }

  /** Those that began in the stretch of time, oldest first. */
  conversations(): readonly Conversation[] {
    return [...new Set(this.#groups.values())]
      .flatMap(({ startedAt, isOlder, origin, channels, lines }): Conversation[] =>
        startedAt === null || isOlder || startedAt >= this.to
          ? []
          : [
              {
                startedAt,
                channels: [...channels],
                from: origin.callerNumber,
                dialled: origin.exten,
                lines: [...lines].toSorted(([, a], [, b]) => a - b).map(([text]) => text),
              },
            ],
      )
      .toSorted((a, b) => a.startedAt - b.startedAt);
  }

  /** What is known of a line's channels together; null for what began later. */
  #groupOf(line: CelLine): Group | null {
    const ids = [line.channel, line.linkedId].filter((id) => id !== '');
    const [found, ...others] = new Set(ids.flatMap((id) => this.#groups.get(id) ?? []));
    if (found === undefined && line.at >= this.to) return null;
    const group = found ?? {
      startedAt: null,
      isOlder: false,
      origin: line,
      channels: new Set<string>(),
      lines: new Map<string, number>(),
    };
    for (const other of others) {
      for (const [text, place] of other.lines) group.lines.set(text, place);
      for (const channel of other.channels) this.#put(channel, group);
      group.isOlder ||= other.isOlder;
      if (other.startedAt !== null && other.startedAt < (group.startedAt ?? Infinity)) {
        group.startedAt = other.startedAt;
        group.origin = other.origin;
      }
    }
    for (const id of ids) {
      group.isOlder ||= this.#older.has(id);
      this.#put(id, group);
    }
    return group;
  }

  #put(channel: string, group: Group): void {
    group.channels.add(channel);
    this.#groups.set(channel, group);
  }
}
