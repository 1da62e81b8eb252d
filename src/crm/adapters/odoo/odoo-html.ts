import { withOwnLine, withOwnLines } from '../../port/own-lines.js';

/** A text of Odoo’s in HTML with our lines in it: each is a paragraph. What else stands there is kept as it is. */
export function withOwnParagraphs(html: string | null, lines: readonly string[]): string {
  return toHtml(withOwnLines(toLines(html ?? ''), lines));
}

export function withOwnParagraph(html: string | null, line: string): string {
  return toHtml(withOwnLine(toLines(html ?? ''), line));
}

export function paragraphsOf(words: string): string {
  return words
    .replace(/(?![\n])\p{Cc}/gu, '')
    .split('\n')
    .map((line) => `<p>${escaped(line)}</p>`)
    .join('');
}

/** Our paragraphs as the lines that they were made of; between them the rest, each piece on one line. */
function toLines(html: string): string {
  return html
    .split(/(<p\b[^>]*>[^]*?<\/p>)/)
    .map((piece) => (isOurs(piece) ? textOf(piece) : piece.replace(/\s*\n\s*/g, ' ')))
    .filter((piece) => piece.trim() !== '')
    .join('\n');
}

function isOurs(piece: string): boolean {
  return /^<p\b/.test(piece) && textOf(piece).startsWith('»');
}

function toHtml(lines: string): string {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (line.startsWith('»') ? `<p>${linked(escaped(line))}</p>` : line))
    .join('');
}

function linked(line: string): string {
  return line.replace(/^(» Recording: )(https?:\/\/\S+)$/, '$1<a href="$2">$2</a>');
}

const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
  '#34': '"',
  nbsp: ' ',
};

export function textOf(html: string): string {
  return html
    .replace(/<[^>]*>/g, '')
    .replace(/&(#?\w+);/g, (whole, name: string) => entities[name] ?? whole)
    .replace(/\s+/g, ' ')
    .trim();
}

function escaped(plain: string): string {
  return plain.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}
