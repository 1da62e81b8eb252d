/** One record of Asterisk's channel event log (CEL). Texts that were not written are empty. */
export type CelLine = {
  /** Such as `CHAN_START`; of a user-defined event its own name. */
  readonly event: string;
  /** ms since the epoch by the switch's clock. Microseconds are cut off, as ARI does. */
  readonly at: number;
  readonly channel: string;
  readonly linkedId: string;
  /** What Asterisk calls the channel, such as `PJSIP/alice-00000001`. */
  readonly name: string;
  readonly callerName: string;
  readonly callerNumber: string;
  readonly exten: string;
  readonly context: string;
  readonly app: string;
  readonly appData: string;
  readonly peer: string;
  readonly extra: Readonly<Record<string, unknown>>;
};

/**
 * Columns of a line, in order, as `asterisk/ringline/cel_custom.conf` and `cel_custom-16.conf` write them; the names are those
 * of a JSON mapping (Asterisk 22.10 and newer) too.
 */
export const celColumns = [
  'eventtype',
  'eventtime',
  'uniqueid',
  'linkedid',
  'channame',
  'name',
  'num',
  'exten',
  'context',
  'appname',
  'appdata',
  'peer',
  'eventextra',
] as const;
type Columns = Readonly<Record<(typeof celColumns)[number], string>>;

/** Asterisk cuts its own texts long before. */
export const LONGEST_LINE = 16_384;

/**
 * Reads one line, without its end. Pure; never throws. Null for anything but a whole record of the two mappings.
 *
 * A caller may have a line break, a quote or a backslash in his number, and Asterisk writes them. With every field quoted and
 * quotes doubled he can spoil no more than his own line: what stands after his line break is no record, whatever he wrote.
 * Asterisk's JSON escapes quotes only (22.10.1), so that there a backslash spoils the line as well.
 */
export function parseCelLine(text: string): CelLine | null {
  if (text.length > LONGEST_LINE) return null;
  const columns = text.startsWith('{') ? readJson(text) : readQuoted(text);
  if (columns === null || columns.eventtype === '' || columns.uniqueid === '') return null;
  const at = parseTime(columns.eventtime);
  if (at === null) return null;
  return {
    event: columns.eventtype,
    at,
    channel: columns.uniqueid,
    linkedId: columns.linkedid,
    name: columns.channame,
    callerName: columns.name,
    callerNumber: columns.num,
    exten: columns.exten,
    context: columns.context,
    app: columns.appname,
    appData: columns.appdata,
    peer: columns.peer,
    extra: parseExtra(columns.eventextra),
  };
}

const quoted = /"((?:[^"]|"")*)"(,|$)/y;

function readQuoted(text: string): Columns | null {
  const fields: string[] = [];
  quoted.lastIndex = 0;
  for (let end = ','; end === ',';) {
    const match = quoted.exec(text);
    if (match === null || fields.length === celColumns.length) return null;
    fields.push((match[1] ?? '').replaceAll('""', '"'));
    end = match[2] ?? '';
  }
  if (fields.length !== celColumns.length) return null;
  return Object.fromEntries(celColumns.map((name, i) => [name, fields[i] ?? ''])) as Columns;
}

function readJson(text: string): Columns | null {
  const record = parseObject(text);
  if (record === null) return null;
  return Object.fromEntries(celColumns.map((name) => [name, textOf(record[name])])) as Columns;
}

/** Seconds with up to six decimals: what Asterisk writes unless `dateformat` in cel.conf says otherwise. */
function parseTime(text: string): number | null {
  const [, seconds, fraction = ''] = /^(\d{1,11})(?:\.(\d{1,6}))?$/.exec(text) ?? [];
  return seconds === undefined ? null : Number(seconds) * 1000 + Number(fraction.padEnd(3, '0').slice(0, 3));
}

/** Empty where it is no object: users' events may carry any text. */
function parseExtra(text: string): Readonly<Record<string, unknown>> {
  return text.startsWith('{') ? (parseObject(text) ?? {}) : {};
}

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}
