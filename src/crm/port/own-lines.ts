import type { CrmCall } from './crm-objects.js';

/** Begins each line of ours in a text that belongs to both. All other lines are somebody else's, and stay. */
export const MARK = '» ';
export const RECORDING = 'Recording: ';

/** What a text of the CRM's says of a call, line by line. */
export function linesOfCall(
  call: CrmCall,
  what: { readonly id: boolean; readonly recording: boolean },
): readonly string[] {
  const { summary, disposition, tags, note, recordingUrl } = call;
  return [
    what.id ? `Ringline ${call.id}` : 'Ringline',
    ...linesOf(summary),
    ...(disposition === null ? [] : [`Result: ${oneLine(disposition)}`]),
    ...(tags.length === 0 ? [] : [`Tags: ${oneLine(tags.join(', '))}`]),
    ...(note === null || note.trim() === '' ? [] : ['Note:', ...linesOf(note)]),
    ...(what.recording && recordingUrl !== null ? [recordingLine(recordingUrl)] : []),
  ];
}

export function recordingLine(url: string): string {
  return `${RECORDING}${oneLine(url)}`;
}

/**
 * The text with our lines as they should be now, where they were; at its end, if they were nowhere. Links to recordings that
 * stand there stay.
 */
export function withOwnLines(text: string | null, lines: readonly string[]): string {
  const all = (text ?? '').replace(/\r\n?/g, '\n').split('\n');
  const first = all.findIndex(isOurs);
  const kept = all.flatMap((line) => (line.startsWith(`${MARK}${RECORDING}`) ? [line.slice(MARK.length)] : []));
  const ours = [...lines.filter((line) => !kept.includes(line)), ...kept].map((line) => `${MARK}${line}`);
  const theirs = all.filter((line) => !isOurs(line));
  if (first < 0) {
    const before = theirs.join('\n').trimEnd();
    // Whoever goes on writing at the end does so on a line of their own.
    return `${before === '' ? '' : `${before}\n\n`}${ours.join('\n')}\n`;
  }
  const before = all.slice(0, first).filter((line) => !isOurs(line));
  const after = theirs.slice(before.length);
  return [...before, ...ours, ...(after.length === 0 ? [''] : after)].join('\n');
}

/** With one more line of ours after the others, if it is not there yet. */
export function withOwnLine(text: string | null, line: string): string {
  const all = (text ?? '').replace(/\r\n?/g, '\n').split('\n');
  const marked = `${MARK}${line}`;
  if (all.includes(marked)) return text ?? '';
  const last = all.findLastIndex(isOurs);
  return last < 0 ? withOwnLines(text, [line]) : all.toSpliced(last + 1, 0, marked).join('\n');
}

function isOurs(line: string): boolean {
  return line.startsWith(MARK) || line === MARK.trimEnd();
}

function linesOf(text: string): readonly string[] {
  const plain = withoutControls(text).trim();
  return plain === '' ? [] : plain.split(/\r\n?|\n/);
}

function oneLine(text: string): string {
  return withoutControls(text).replace(/\s+/g, ' ').trim();
}

/** PostgreSQL, for one, takes no NUL in a text. */
function withoutControls(text: string): string {
  return text.replace(/(?![\t\r\n])\p{Cc}/gu, '');
}
