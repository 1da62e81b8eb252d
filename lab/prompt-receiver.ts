import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Servers that take every webhook at once and note when each event first came. */
export class PromptReceiver {
  /** By id of the event, ms since the epoch. */
  readonly arrivedAt = new Map<string, number>();
  readonly #servers: Server[] = [];

  get count(): number {
    return this.arrivedAt.size;
  }

  /** Another server of its own. Gives its URL. */
  async open(): Promise<string> {
    const server = createServer((request, response) => {
      const at = Date.now();
      request.resume().on('end', () => {
        const id = String(request.headers['webhook-id']);
        if (!this.arrivedAt.has(id)) this.arrivedAt.set(id, at);
        response.writeHead(204).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#servers.push(server);
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`;
  }

  async stop(): Promise<void> {
    for (const server of this.#servers) server.closeAllConnections();
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}
