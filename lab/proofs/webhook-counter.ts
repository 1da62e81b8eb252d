import { createServer } from 'node:http';

import type { Lab } from '../start-lab.js';

export type WebhookCounter = {
  readonly url: string;
  deliveries(): number;
  /** Whether the event of this id came. */
  has(eventId: string): boolean;
  /** Events that came under two ids. */
  twoIds(): number;
  stop(): Promise<void>;
};

/** Receives webhooks and counts ids. */
export async function startWebhookCounter(lab: Lab): Promise<WebhookCounter> {
  const ids = new Map<string, Set<string>>();
  const all = new Set<string>();
  let count = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const event = JSON.parse(Buffer.concat(chunks).toString()) as {
        sequence: number;
        data: { call: { id: string } };
      };
      const key = `${event.data.call.id}/${event.sequence}`;
      const id = String(request.headers['webhook-id']);
      ids.set(key, (ids.get(key) ?? new Set()).add(id));
      all.add(id);
      count++;
      response.writeHead(204).end();
    });
  });
  const port = await lab.ports.next();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${port}/events`,
    deliveries: () => count,
    has: (eventId) => all.has(eventId),
    twoIds: () => [...ids.values()].filter(({ size }) => size > 1).length,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
