import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { readEvents, type ReadEvent } from './read-events.js';

/** A browser's end of an event stream, over a real connection. */
export class EventStream {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Everything that came, as text. */
  wire = '';
  isClosed = false;
  /** Resolves with the time when the other side ends or cuts the connection. */
  readonly closed: Promise<number>;
  readonly #response: IncomingMessage;

  private constructor(response: IncomingMessage) {
    this.#response = response;
    this.status = response.statusCode ?? 0;
    this.headers = response.headers;
    response.setEncoding('utf8');
    response.on('data', (text: string) => (this.wire += text));
    response.on('error', () => undefined);
    this.closed = new Promise((resolve) =>
      response.on('close', () => {
        this.isClosed = true;
        resolve(Date.now());
      }),
    );
  }

  /** Resolves when the head of the answer has come. */
  static open(url: string, headers: Readonly<Record<string, string>> = {}): Promise<EventStream> {
    return new Promise((resolve, reject) => {
      request(url, { headers: { Accept: 'text/event-stream', ...headers }, agent: false }, (response) =>
        resolve(new EventStream(response)),
      )
        .on('error', reject)
        .end();
    });
  }

  get events(): readonly ReadEvent[] {
    return readEvents(this.wire);
  }

  /** The data of every event with this name, parsed. */
  all<T>(name: string): T[] {
    return this.events.filter(({ event }) => event === name).map(({ data }) => JSON.parse(data) as T);
  }

  /** Stops reading, as a browser that is suspended. */
  pause(): void {
    this.#response.pause();
  }

  close(): void {
    this.#response.destroy();
  }
}
