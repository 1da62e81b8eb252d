import { MARK, RECORDING } from './own-lines.js';

/** Where a line of rich text begins or ends, whatever editor wrote it. */
const BREAK = /(<\/?(?:p|div|br|li|ul|ol|table|tr|td|blockquote|h[1-6])\b[^>]*>)/i;

/**
 * Rich text that belongs to both, with our lines as they should be now, where they were; before all, if they were nowhere.
 * What is not ours stays as it is, markup and all.
 * @param most how many characters it may have; what is too much of ours is left out, theirs never is
 */
export function withOwnHtmlLines(html: string | null, lines: readonly string[], most: number): string {
  const parts = (html ?? '').split(BREAK);
  const texts = parts.map((part, at) => (isText(at) ? plainOf(part) : ''));
  const first = texts.findIndex(isOurs);
  const kept = texts.flatMap((text) => (text.startsWith(`${MARK}${RECORDING}`) ? [text.slice(MARK.length)] : []));
  const before = withoutOurs(parts.slice(0, Math.max(first, 0)));
  const after = withoutOurs(first < 0 ? parts : parts.slice(first));
  const room = most - before.length - after.length;
  return `${before}${fitted([...lines.filter((line) => !kept.includes(line)), ...kept], room)}${after}`;
}

/** With one more line of ours, if it is not there yet. */
export function withOwnHtmlLine(html: string | null, line: string, most: number): string {
  const ours = (html ?? '')
    .split(BREAK)
    .flatMap((part, at) => (isText(at) && isOurs(plainOf(part)) ? [plainOf(part).slice(MARK.length)] : []));
  return ours.includes(line) ? (html ?? '') : withOwnHtmlLines(html, [...ours, line], most);
}

/** Lines of text at even places, breaks between them at odd ones. */
function isText(at: number): boolean {
  return at % 2 === 0;
}

/** Each line of ours goes with the break that ends it, so that none is left behind. */
function withoutOurs(parts: readonly string[]): string {
  const kept: string[] = [];
  for (const [at, part] of parts.entries()) {
    if (isText(at) && isOurs(plainOf(part))) continue;
    const isAfterOurs = !isText(at) && isOurs(plainOf(parts[at - 1] ?? ''));
    if (isAfterOurs && /^<br/i.test(part)) continue;
    kept.push(part);
  }
  return kept.join('');
}

function isOurs(text: string): boolean {
  return text.startsWith(MARK) || text === MARK.trimEnd();
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", nbsp: ' ' };

function plainOf(part: string): string {
  return part
    .replace(/<[^>]*>/g, '')
    .replace(/&(amp|lt|gt|quot|#39|nbsp);/g, (whole, name: string) => entities[name] ?? whole)
    .replace(/\s+/g, ' ')
    .trim();
}

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

const BR = '<br>';

function fitted(lines: readonly string[], room: number): string {
  let text = '';
  for (const line of lines) {
    const whole = `${escapeHtml(`${MARK}${line}`)}${BR}`;
    if (text.length + whole.length <= room) {
      text += whole;
      continue;
    }
    let cut = MARK;
    for (const character of line) {
      if (text.length + cut.length + escapeHtml(character).length + BR.length + 1 > room) break;
      cut += escapeHtml(character);
    }
    return cut === MARK ? text : `${text}${cut}…${BR}`;
  }
  return text;
}
