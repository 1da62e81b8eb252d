export type ReadEvent = { readonly event: string; readonly data: string };

/** Reads an event stream as the HTML standard says a browser does. What follows the last blank line is left out. */
export function readEvents(wire: string): ReadEvent[] {
  const events: ReadEvent[] = [];
  let event = '';
  let data: string[] = [];
  for (const line of wire.split(/\r\n|\r|\n/)) {
    if (line === '') {
      if (data.length > 0) events.push({ event: event || 'message', data: data.join('\n') });
      event = '';
      data = [];
      continue;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') event = value;
    if (field === 'data') data.push(value);
  }
  return events;
}
