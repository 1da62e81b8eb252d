/** One line of at most so many UTF-16 units, without control characters and without half a character at its end. */
export function cut(text: string, most: number): string {
  const plain = text.replace(/\p{Cc}+/gu, ' ').trim();
  return plain.length <= most ? plain : plain.slice(0, most).replace(/[\uD800-\uDBFF]$/, '');
}
