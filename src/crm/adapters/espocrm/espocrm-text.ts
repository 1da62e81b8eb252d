import type { CrmCall } from '../../port/crm-objects.js';
import type { EspocrmSettings } from './espocrm-settings.js';

/** Whether the CRM has fields for what else stands in the text. */
type Fields = Pick<EspocrmSettings, 'idField' | 'recordingUrlField'>;

/** Begins each line of ours in a description. All other lines are somebody else's, and stay. */
const OURS = '» ';
const RECORDING = 'Recording: ';

/** The description with our lines as they should be now, where they were; at its end, if they were nowhere. */
export function withOurLines(description: string | null, call: CrmCall, fields: Fields): string {
  const lines = (description ?? '').replace(/\r\n?/g, '\n').split('\n');
  const first = lines.findIndex(isOurs);
  const theirs = lines.filter((line) => !isOurs(line));
  const kept = lines.filter((line) => line.startsWith(`${OURS}${RECORDING}`)).map((line) => line.slice(OURS.length));
  const ours = ourLines(call, fields, kept).map((line) => `${OURS}${line}`);
  if (first < 0) {
    const before = theirs.join('\n').trimEnd();
    // Whoever goes on writing at the end does so on a line of their own.
    return `${before === '' ? '' : `${before}\n\n`}${ours.join('\n')}\n`;
  }
  const at = lines.slice(0, first).filter((line) => !isOurs(line)).length;
  const after = theirs.slice(at);
  return [...theirs.slice(0, at), ...ours, ...(after.length === 0 ? [''] : after)].join('\n');
}

/** With one more link, if it is not there yet. */
export function withRecordingLink(description: string, url: string): string {
  const line = `${OURS}${RECORDING}${oneLine(url)}`;
  const lines = description.split('\n');
  if (lines.includes(line)) return description;
  const last = lines.findLastIndex(isOurs);
  return last < 0 ? `${line}\n${description}` : lines.toSpliced(last + 1, 0, line).join('\n');
}

function isOurs(line: string): boolean {
  return line.startsWith(OURS) || line === OURS.trimEnd();
}

function ourLines(call: CrmCall, fields: Fields, keptRecordings: readonly string[]): readonly string[] {
  const { summary, disposition, tags, note, recordingUrl } = call;
  const isLinkHere = recordingUrl !== null && fields.recordingUrlField === null;
  const recordings = isLinkHere ? [`${RECORDING}${oneLine(recordingUrl)}`] : [];
  return [
    fields.idField === null ? `Ringline ${call.id}` : 'Ringline',
    ...linesOf(summary),
    ...(disposition === null ? [] : [`Result: ${oneLine(disposition)}`]),
    ...(tags.length === 0 ? [] : [`Tags: ${oneLine(tags.join(', '))}`]),
    ...(note === null || note.trim() === '' ? [] : ['Note:', ...linesOf(note)]),
    ...new Set([...keptRecordings, ...recordings]),
  ];
}

function linesOf(text: string): readonly string[] {
  return text.trim() === '' ? [] : text.trim().split(/\r\n?|\n/);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
