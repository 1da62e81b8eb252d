import type { Call } from '../../calls/domain/call.js';
import type { ConnectionRules } from '../connections/connection-rules.js';

export type UnknownCallerMake = ConnectionRules['unknownCallers'][number]['make'];

/** What is to be made of somebody whom the CRM does not know, by the first rule that fits. */
export function makeOfUnknown(
  { line, direction, startedAt }: Pick<Call, 'line' | 'direction' | 'startedAt'>,
  rules: ConnectionRules,
): UnknownCallerMake {
  const isOpen = isInHours(new Date(startedAt), rules);
  const rule = rules.unknownCallers.find(
    (one) =>
      (one.lineIds.length === 0 || (line !== null && one.lineIds.includes(line.id))) &&
      (one.direction === 'any' || one.direction === direction) &&
      (one.when === 'always' || (one.when === 'in-hours') === isOpen),
  );
  return rule?.make ?? 'nothing';
}

type Hours = ConnectionRules['hours'][number];
const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;

export function isInHours(at: Date, { hours, timeZone }: Pick<ConnectionRules, 'hours' | 'timeZone'>): boolean {
  if (hours.length === 0) return true;
  const { day, clock } = localTime(at, timeZone);
  const yesterday = (day + 6) % 7;
  const has = ({ days }: Hours, index: number): boolean => days.some((name) => name === weekdays[index]);
  return hours.some((range) => {
    const { from, to } = range;
    if (from < to) return has(range, day) && clock >= from && clock < to;
    // Until the next day; the same time twice is a whole day.
    return (has(range, day) && clock >= from) || (has(range, yesterday) && clock < to);
  });
}

function localTime(at: Date, timeZone: string): { readonly day: number; readonly clock: string } {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'long',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const day = weekdays.findIndex((name) => name === parts['weekday']?.toLowerCase());
  return { day, clock: `${parts['hour']}:${parts['minute']}` };
}
