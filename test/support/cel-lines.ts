import { celColumns } from '../../src/asterisk/cel/cel-line.js';

type Column = (typeof celColumns)[number];

/** A line as Asterisk writes it by asterisk/ringline/cel_custom.conf. @param at ms since the epoch */
export function celLine(
  event: string,
  at: number,
  uniqueid: string,
  more: Partial<Record<Column, string>> & { readonly extra?: Record<string, unknown> } = {},
): string {
  const { extra, ...columns } = more;
  const values: Partial<Record<Column, string>> = {
    eventtype: event,
    eventtime: `${Math.floor(at / 1000)}.${String(at % 1000).padStart(3, '0')}123`,
    uniqueid,
    linkedid: uniqueid,
    channame: `PJSIP/trunk-${uniqueid}`,
    eventextra: extra === undefined ? '' : JSON.stringify(extra),
    ...columns,
  };
  return celColumns.map((name) => `"${(values[name] ?? '').replaceAll('"', '""')}"`).join(',');
}

/** A caller who came to our app, found nobody, was in the fall-back for a while and hung up. */
export function handedBackCaller(startedAt: number, uniqueid: string, did: string, number = '+4930111222'): string[] {
  const base = { num: number, exten: did, context: 'from-trunk' };
  const stasis = { ...base, appname: 'Stasis', appdata: `ringline,inbound,${did}` };
  const hangup = { hangupcause: 16, hangupsource: `PJSIP/trunk-${uniqueid}`, dialstatus: '' };
  return [
    celLine('CHAN_START', startedAt, uniqueid, base),
    celLine('APP_START', startedAt + 2, uniqueid, stasis),
    celLine('APP_END', startedAt + 4, uniqueid, stasis),
    celLine('ANSWER', startedAt + 5, uniqueid, { ...base, context: 'ringline-fallback' }),
    celLine('HANGUP', startedAt + 3_005, uniqueid, { ...base, context: 'ringline-fallback', extra: hangup }),
    celLine('CHAN_END', startedAt + 3_005, uniqueid, base),
  ];
}
