import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { Webhook } from 'standardwebhooks';

import type { CallEvent } from '../../src/calls/domain/call-event.js';
import type { Chance } from '../replay/chance.js';

/** What a request met. A reset closes the connection, a timeout is a request that is never answered. */
export const receptions = ['taken', 'refused', 'reset', 'timeout'] as const;
export type Reception = (typeof receptions)[number];

export type Arrival = {
  readonly endpoint: string;
  readonly eventId: string;
  readonly callId: string;
  readonly sequence: number;
  /** ms since the epoch. */
  readonly at: number;
  readonly reception: Reception;
  /** The signature fits, and the id is that of the event inside. */
  readonly isGenuine: boolean;
};

/** Of all requests: three in ten fail. Most timeouts keep one of the few requests open that an endpoint may have. */
const REFUSED = 0.15;
const RESET = 0.12;
const TIMEOUT = 0.03;

/** Takes webhooks for many endpoints, one a path, verifies each, and fails at random. */
export class FickleReceiver {
  readonly arrivals: Arrival[] = [];
  readonly #webhooks = new Map<string, Webhook>();
  readonly #server = createServer((request, response) => this.#read(request, response));

  private constructor(private readonly chance: Chance) {}

  static async start(chance: Chance): Promise<FickleReceiver> {
    const receiver = new FickleReceiver(chance);
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  urlOf(name: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${name}`;
  }

  expect(name: string, secret: string): void {
    this.#webhooks.set(name, new Webhook(secret));
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #read(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const reception = this.#meet();
      this.#note(request, Buffer.concat(chunks).toString(), reception);
      if (reception === 'taken') response.writeHead(204).end();
      else if (reception === 'refused') response.writeHead(500).end('not today');
      else if (reception === 'reset') request.socket.resetAndDestroy();
    });
  }

  #meet(): Reception {
    const at = this.chance.next();
    if (at < REFUSED) return 'refused';
    if (at < REFUSED + RESET) return 'reset';
    return at < REFUSED + RESET + TIMEOUT ? 'timeout' : 'taken';
  }

  #note({ url = '', headers }: IncomingMessage, body: string, reception: Reception): void {
    const endpoint = url.slice(1);
    const eventId = String(headers['webhook-id']);
    const { id, sequence, data } = JSON.parse(body) as CallEvent;
    const isGenuine = id === eventId && this.#isSigned(endpoint, body, headers as Record<string, string>);
    this.arrivals.push({ endpoint, eventId, callId: data.call.id, sequence, at: Date.now(), reception, isGenuine });
  }

  #isSigned(endpoint: string, body: string, headers: Record<string, string>): boolean {
    try {
      this.#webhooks.get(endpoint)?.verify(body, headers);
      return this.#webhooks.has(endpoint);
    } catch {
      return false;
    }
  }
}
