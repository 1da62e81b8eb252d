import { createServer } from 'node:http';

import { Webhook } from 'standardwebhooks';

import type { CallEvent } from '../../src/calls/domain/call-event.js';

export interface ReceivedEvent {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly event: CallEvent;
  /** By the reference implementation of Standard Webhooks. */
  readonly signatureValid: boolean;
}

/** Another program that gets the company's webhooks and believes only what is signed. */
export interface WebhookReceiver {
  readonly url: string;
  /** Set once the endpoint is made; what comes before counts as not signed. */
  useSecret(secret: string): void;
  eventsOf(callId: string): readonly ReceivedEvent[];
  onEvent(listener: (received: ReceivedEvent) => void): void;
  stop(): Promise<void>;
}

export async function startWebhookReceiver(port: number): Promise<WebhookReceiver> {
  let webhook: Webhook | undefined;
  const received: ReceivedEvent[] = [];
  const listeners: Array<(received: ReceivedEvent) => void> = [];

  const isSigned = (body: string, headers: Record<string, string>): boolean => {
    try {
      webhook?.verify(body, headers);
      return webhook !== undefined;
    } catch {
      return false;
    }
  };

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      // Its bytes as they came are what was signed.
      const body = Buffer.concat(chunks).toString();
      const signatureValid = isSigned(body, request.headers as Record<string, string>);
      const entry = { at: Date.now(), event: JSON.parse(body) as CallEvent, signatureValid };
      received.push(entry);
      response.writeHead(signatureValid ? 204 : 401).end();
      for (const listener of listeners) listener(entry);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });

  return {
    url: `http://127.0.0.1:${port}/calls`,
    useSecret(secret) {
      webhook = new Webhook(secret);
    },
    eventsOf: (callId) => received.filter(({ event }) => event.data.call.id === callId),
    onEvent: (listener) => listeners.push(listener),
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
