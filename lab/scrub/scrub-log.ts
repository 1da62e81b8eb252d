import { csvFields } from '../cel.js';
import type { Scrubber } from './scrub.js';

/** Columns of the log that events tell too, by the names that they have there. */
const fieldOf: Readonly<Record<string, string>> = { eventtype: 'type', appname: 'app_name', appdata: 'app_data' };

/** A line of Asterisk's channel event log without what names people and places: what becomes of it is what becomes of it in a stream. */
export function scrubLogLine(line: string, scrubber: Scrubber): string {
  return Object.entries(csvFields(line))
    .map(([column, text]) => {
      if (column === 'eventextra') return text === '' ? '' : JSON.stringify(scrubber.document(JSON.parse(text)));
      const field = fieldOf[column] ?? column;
      return scrubber.document({ [field]: text })[field] ?? '';
    })
    .map((text) => `"${text.replaceAll('"', '""')}"`)
    .join(',');
}
