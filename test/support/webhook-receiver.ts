import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { CallEvent } from '../../src/calls/domain/call-event.js';

export type Received = {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly event: CallEvent;
  readonly at: number;
};

/** What a receiver answers. `hang` never does; `cut` closes the connection. */
export type Answer = { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string };
export type Respond = (request: Received, count: number) => Answer | 'hang' | 'cut' | Promise<Answer | 'hang' | 'cut'>;

/** A server that gets webhooks and answers as a test wants. */
export class WebhookReceiver {
  readonly received: Received[] = [];
  respond: Respond = () => ({ status: 204 });
  open = 0;
  mostOpen = 0;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<WebhookReceiver> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const receiver = new WebhookReceiver(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      receiver.open += 1;
      receiver.mostOpen = Math.max(receiver.mostOpen, receiver.open);
      response.on('close', () => (receiver.open -= 1));
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        const entry: Received = {
          path: request.url ?? '',
          headers: request.headers,
          body,
          event: JSON.parse(body) as CallEvent,
          at: Date.now(),
        };
        receiver.received.push(entry);
        void Promise.resolve(receiver.respond(entry, receiver.received.length)).then((answer) => {
          if (answer === 'hang') return;
          if (answer === 'cut') request.socket.destroy();
          else response.writeHead(answer.status, answer.headers).end(answer.body);
        });
      });
    });
    return receiver;
  }

  /** Sequences a call's events came in, in order; every try counts. */
  sequencesOf(callId: string): number[] {
    return this.received.filter(({ event }) => event.data.call.id === callId).map(({ event }) => event.sequence);
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

/** By the reference implementation; throws when the signature does not fit. */
export function verify(secret: string, { headers, body }: Pick<Received, 'headers' | 'body'>): unknown {
  return new Webhook(secret).verify(body, headers as Record<string, string>);
}
