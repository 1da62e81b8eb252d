export type StreamEventName = 'snapshot' | 'call' | 'pop' | 'matches' | 'token';

/**
 * One server-sent event. Each line of the text becomes a `data:` line, whatever ends it: a caller's name cannot start a
 * field or an event of its own (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream).
 */
export function eventFrame(event: StreamEventName, text: string): Buffer {
  return Buffer.from(`event: ${event}\ndata: ${text.replaceAll(/\r\n|\r|\n/g, '\ndata: ')}\n\n`);
}

/** How long the browser waits before it connects again after a cut, ms. */
export function retryFrame(delayMs: number): Buffer {
  return Buffer.from(`retry: ${Math.round(delayMs)}\n\n`);
}

/** A comment, which browsers ignore: keeps proxies from closing an idle connection. */
export const heartbeatFrame = Buffer.from(': heartbeat\n\n');
