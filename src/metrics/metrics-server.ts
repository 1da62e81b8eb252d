import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Log } from '../common/logger.js';
import { Config } from '../config/config.js';
import { Metrics } from './metrics.js';

/** Serves `GET /metrics` on its own address, never on the public port. */
@Injectable()
export class MetricsServer implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #server: Server;

  constructor(
    private readonly config: Config,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  /** Where it listens; for a process that was given port 0. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** @throws {Error} when the address is taken: an operator who asked for metrics must not go without. */
  async onApplicationBootstrap(): Promise<void> {
    const { host, port } = this.config.metrics;
    this.#server.listen(port, host);
    await once(this.#server, 'listening').catch((error: Error) => {
      throw new Error(`METRICS_LISTEN ${host}:${port} cannot be used: ${error.message}`);
    });
    this.log.info({ scope: 'metrics', host, port: this.port }, 'metrics listen');
  }

  async onApplicationShutdown(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url?.split('?')[0] !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    try {
      const text = await this.metrics.registry.metrics();
      response.writeHead(200, { 'Content-Type': this.metrics.registry.contentType }).end(text);
    } catch (error) {
      this.log.error({ scope: 'metrics', error }, 'metrics could not be read');
      response.writeHead(500).end();
    }
  }
}
