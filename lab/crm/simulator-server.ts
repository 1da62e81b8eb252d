import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Limit } from '../../src/crm/port/limit.js';

export type SimulatedRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** Parsed by its content type; undefined when there is none, or it is neither JSON nor a form. */
  readonly json: unknown;
  readonly form: Readonly<Record<string, string>>;
};

export type SimulatedAnswer = {
  readonly status: number;
  readonly json?: unknown;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

export type SeenRequest = {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly status: number | null;
};

/**
 * What goes wrong, with how many of the next requests that `matches` accepts.
 * - `lost-answer`: it is done, and the connection is cut instead of an answer. - `refused`: cut before anything is done.
 * - `status`: that answer, and nothing is done. - `html`: a proxy's error page with that status. - `slow`: answered so much later.
 */
export type Fault = {
  readonly what: 'lost-answer' | 'refused' | 'status' | 'html' | 'slow';
  readonly times: number;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly ms?: number;
  readonly matches?: (request: SimulatedRequest) => boolean;
};

export type Handler = (request: SimulatedRequest) => SimulatedAnswer | Promise<SimulatedAnswer>;

export type ServerOptions = {
  readonly handle: Handler;
  /** The vendor's. Requests beyond them are counted as violations, and answered by `refuse`. */
  readonly limits?: readonly Limit[];
  readonly laneOf?: (request: SimulatedRequest) => string | undefined;
  readonly costOf?: (request: SimulatedRequest) => number;
  readonly refuse?: (limit: Limit) => SimulatedAnswer;
};

/** What all simulators have in common: HTTP on loopback, faults, limits, a list of what was asked. */
export class SimulatorServer {
  readonly requests: SeenRequest[] = [];
  violations = 0;
  readonly #faults: (Fault & { left: number })[] = [];
  readonly #meters: Meter[];
  #server: Server | null = null;

  private constructor(private readonly options: ServerOptions) {
    this.#meters = (options.limits ?? []).map((limit) => new Meter(limit));
  }

  static async start(options: ServerOptions): Promise<SimulatorServer> {
    const simulator = new SimulatorServer(options);
    const server = createServer((request, response) => {
      void simulator.#take(request).then(
        async ({ answer, request: seen }) => {
          if (answer === null) {
            request.socket.destroy();
            return;
          }
          const body = answer.text ?? (answer.json === undefined ? '' : JSON.stringify(answer.json));
          const type = answer.text === undefined ? 'application/json' : 'text/html; charset=utf-8';
          response.writeHead(answer.status, { ...(body !== '' && { 'content-type': type }), ...answer.headers });
          response.end(seen.method === 'HEAD' ? '' : body);
          await Promise.resolve();
        },
        (error: unknown) => {
          // A simulator that breaks is a fault of the test, not of the CRM.
          response.writeHead(599).end(String(error));
        },
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    simulator.#server = server;
    return simulator;
  }

  get url(): string {
    const address = this.#server?.address() as AddressInfo | undefined;
    return `http://127.0.0.1:${address?.port ?? 0}`;
  }

  fail(fault: Fault): void {
    this.#faults.push({ ...fault, left: fault.times });
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  async #take(incoming: IncomingMessage): Promise<{ answer: SimulatedAnswer | null; request: SimulatedRequest }> {
    const request = await read(incoming);
    const meters = this.#meters.filter(
      ({ limit }) => limit.lane === undefined || limit.lane === this.options.laneOf?.(request),
    );
    const cost = this.options.costOf?.(request) ?? 1;
    const now = Date.now();
    const over = meters.find((meter) => !meter.take(now, cost));
    const leave = (): void => meters.forEach((meter) => meter.leave());
    try {
      const answer = over === undefined ? await this.#answer(request) : this.#refused(over.limit);
      this.requests.push({
        at: now,
        method: request.method,
        path: request.path,
        query: request.query.toString(),
        status: answer?.status ?? null,
      });
      return { answer, request };
    } finally {
      leave();
    }
  }

  #refused(limit: Limit): SimulatedAnswer {
    this.violations++;
    return this.options.refuse?.(limit) ?? { status: 429, json: { error: 'too many requests' } };
  }

  async #answer(request: SimulatedRequest): Promise<SimulatedAnswer | null> {
    const fault = this.#faults.find(({ left, matches }) => left > 0 && (matches?.(request) ?? true));
    if (fault === undefined) return this.options.handle(request);
    fault.left--;
    const { what, status = 500, headers, json, ms = 0 } = fault;
    switch (what) {
      case 'refused':
        return null;
      case 'lost-answer':
        await this.options.handle(request);
        return null;
      case 'status':
        return { status, ...(json !== undefined && { json }), ...(headers && { headers }) };
      case 'html':
        return {
          status,
          text: `<html><head><title>${status}</title></head><body><h1>Service problem</h1></body></html>`,
          ...(headers && { headers }),
        };
      case 'slow': {
        await sleep(ms);
        return this.options.handle(request);
      }
    }
  }
}

/** Counts by one limit, as the vendor does. */
class Meter {
  #level = 0;
  #levelAt = 0;
  readonly #taken: { at: number; cost: number }[] = [];
  #open = 0;
  #day = '';
  #today = 0;

  constructor(readonly limit: Limit) {}

  take(now: number, cost: number): boolean {
    const { limit } = this;
    this.#open++;
    switch (limit.kind) {
      case 'bucket': {
        this.#level = Math.max(0, this.#level - ((now - this.#levelAt) / 1000) * limit.perSecond);
        this.#levelAt = now;
        if (this.#level + cost > limit.capacity) return false;
        this.#level += cost;
        return true;
      }
      case 'window': {
        while (this.#taken[0] !== undefined && this.#taken[0].at <= now - limit.seconds * 1000) this.#taken.shift();
        if (this.#taken.reduce((sum, one) => sum + one.cost, 0) + cost > limit.requests) return false;
        this.#taken.push({ at: now, cost });
        return true;
      }
      case 'daily': {
        const day = new Date(now).toISOString().slice(0, 10);
        if (day !== this.#day) [this.#day, this.#today] = [day, 0];
        if (this.#today + cost > limit.budget) return false;
        this.#today += cost;
        return true;
      }
      case 'concurrent':
        return this.#open <= limit.most;
    }
  }

  leave(): void {
    this.#open--;
  }
}

async function read(incoming: IncomingMessage): Promise<SimulatedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const url = new URL(incoming.url ?? '/', 'http://simulator');
  const type = incoming.headers['content-type'] ?? '';
  let json: unknown;
  if (type.includes('json')) {
    try {
      json = JSON.parse(body.toString('utf8'));
    } catch {
      json = undefined;
    }
  }
  return {
    method: incoming.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers: incoming.headers as Record<string, string | undefined>,
    body,
    json,
    form: type.includes('x-www-form-urlencoded') ? Object.fromEntries(new URLSearchParams(body.toString('utf8'))) : {},
  };
}
