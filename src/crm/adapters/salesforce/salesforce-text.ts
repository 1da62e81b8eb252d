import { withOwnLine, withOwnLines } from '../../port/own-lines.js';

/** Of Task.Description */
const LENGTH = 32_000;
const MARK_AND_BREAK = 3;

/** What is too much of ours is left out; what others wrote never is. */
export function descriptionWith(description: string | null, lines: readonly string[]): string {
  const theirs = withOwnLines(description, []).length;
  let room = LENGTH - theirs - MARK_AND_BREAK;
  const fitting: string[] = [];
  for (const line of lines) {
    if (line.length + MARK_AND_BREAK > room) {
      const rest = line.slice(0, Math.max(0, room - MARK_AND_BREAK - 1)).replace(/[\uD800-\uDBFF]$/, '');
      if (rest !== '') fitting.push(`${rest}…`);
      break;
    }
    fitting.push(line);
    room -= line.length + MARK_AND_BREAK;
  }
  return withOwnLines(description, fitting);
}

export function descriptionWithLine(description: string | null, line: string): string {
  const text = withOwnLine(description, line);
  return text.length > LENGTH ? (description ?? '') : text;
}
