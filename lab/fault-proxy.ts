import { createServer, connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { HttpRequests, type HttpRequest } from './http-requests.js';

/** up: from the client to the target. down: from the target to the client. */
export type Direction = 'up' | 'down';

export interface Faults {
  /** Every byte arrives so much later. */
  readonly latencyMs?: number;
  /**
   * Nothing passes, not even the end of a connection, until it is healed; then what was sent meanwhile arrives, as after
   * a network partition. New connections are accepted.
   */
  readonly blackHole?: Direction | 'both';
  /** At most so many bytes a second in each direction of each connection. */
  readonly bytesPerSecond?: number;
  /** A connection is reset when it has carried so many bytes in this direction. */
  readonly resetAfter?: { readonly direction: Direction; readonly bytes: number };
}

export interface Interception {
  readonly method?: string;
  /** Tested against path and query. */
  readonly path: RegExp;
  /**
   * response: the target gets the request and acts, its answer is lost. request: the target never sees it. Either way
   * only this connection is hit.
   */
  readonly lose: 'response' | 'request';
  /** reset: the connection breaks at that moment. hold: it stays open and silent until `release` is called. */
  readonly how: 'reset' | 'hold';
  /** How many requests it hits: all unless told. */
  readonly times?: number;
}

/** One moment on a wire, by what passes there. */
export interface Moment {
  readonly direction: Direction;
  /** Looked for in each piece of what passes, read as Latin-1. */
  readonly words: RegExp;
  /**
   * these: the words do not arrive. answer: they do, and what comes back for them does not. nothing: they have passed. What is
   * withheld stays so; the connection is silent until it breaks.
   */
  readonly withhold: 'these' | 'answer' | 'nothing';
}

export interface Trap {
  /** Settles at the moment. */
  readonly sprung: Promise<void>;
  /** Waits no longer. */
  remove(): void;
}

export interface ActiveInterception {
  /** Requests hit so far. */
  hits(): number;
  /** Hits nothing more, and lets go what it holds. */
  release(): void;
}

export interface ProxyCounters {
  readonly accepted: number;
  readonly open: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly resets: number;
  readonly requests: number;
}

export interface FaultProxy {
  readonly port: number;
  /** The target's URL with the proxy's address; only when a URL was given. */
  readonly url: string;
  /** Replaces the faults, for open connections too; no argument heals. */
  set(faults?: Faults): void;
  intercept(interception: Interception): ActiveInterception;
  /** Waits for a moment, once, on any connection. */
  trap(moment: Moment): Trap;
  /** Breaks every open connection. */
  reset(): void;
  /** Says end of data to one side of every connection; the other direction goes on. */
  halfClose(side: 'client' | 'target'): void;
  /** Refuses new connections (and breaks the open ones), as if nobody listened. */
  refuse(): Promise<void>;
  /** Listens again on the same port. */
  accept(): Promise<void>;
  counters(): ProxyCounters;
  stop(): Promise<void>;
}

/** Stands between a client and a TCP server ("127.0.0.1:5432" or a URL) and does to their connection what networks do. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const proxied = target.includes('://') ? new URL(target) : undefined;
  const [host, port] = proxied
    ? [proxied.hostname, Number(proxied.port || 80)]
    : [target.slice(0, target.lastIndexOf(':')), Number(target.slice(target.lastIndexOf(':') + 1))];

  const state = new ProxyState();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ host, port, allowHalfOpen: true });
    state.open(new Connection(client, upstream, state));
  });
  const listen = (wanted: number) =>
    new Promise<number>((resolve, reject) => {
      server.once('error', reject);
      server.listen(wanted, '127.0.0.1', () => {
        server.off('error', reject);
        resolve((server.address() as { port: number }).port);
      });
    });
  const close = () =>
    new Promise<void>((resolve) => {
      if (server.listening) server.close(() => resolve());
      else resolve();
      state.resetAll();
    });

  const ownPort = await listen(0);
  const url = new URL(proxied?.href ?? `tcp://127.0.0.1:${ownPort}`);
  url.hostname = '127.0.0.1';
  url.port = String(ownPort);
  return {
    port: ownPort,
    url: target.endsWith('/') ? url.href : url.href.replace(/\/$/, ''),
    set: (faults = {}) => state.set(faults),
    intercept: (interception) => state.intercept(interception),
    trap: (moment) => state.trap(moment),
    reset: () => state.resetAll(),
    halfClose: (side) => state.halfClose(side),
    refuse: close,
    accept: async () => {
      if (!server.listening) await listen(ownPort);
    },
    counters: () => state.counters(),
    stop: close,
  };
}

class ProxyState {
  faults: Faults = {};
  #connections = new Set<Connection>();
  #interceptions = new Set<Interceptor>();
  #traps = new Set<SetTrap>();
  #waiting: Array<() => void> = [];
  #accepted = 0;
  #resets = 0;
  #requests = 0;
  #bytes = { up: 0, down: 0 };

  open(connection: Connection): void {
    this.#accepted += 1;
    this.#connections.add(connection);
    void connection.closed.then(() => this.#connections.delete(connection));
  }

  set(faults: Faults): void {
    this.faults = faults;
    this.wake();
  }

  /** Settles when something changed that a held flow may be waiting for. */
  change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  isBlackHole(direction: Direction): boolean {
    return this.faults.blackHole === 'both' || this.faults.blackHole === direction;
  }

  intercept(interception: Interception): ActiveInterception {
    const interceptor = new Interceptor(interception);
    this.#interceptions.add(interceptor);
    return {
      hits: () => interceptor.hits,
      release: () => {
        this.#interceptions.delete(interceptor);
        interceptor.released = true;
        this.wake();
      },
    };
  }

  match(request: HttpRequest): Interceptor | undefined {
    this.#requests += 1;
    for (const interceptor of this.#interceptions) if (interceptor.takes(request)) return interceptor;
    return undefined;
  }

  trap(moment: Moment): Trap {
    let spring!: () => void;
    const sprung = new Promise<void>((resolve) => (spring = resolve));
    const trap: SetTrap = { ...moment, spring };
    this.#traps.add(trap);
    return { sprung, remove: () => this.#traps.delete(trap) };
  }

  /** The trap that these bytes walk into; no others do. */
  caught(direction: Direction, data: Buffer): SetTrap | undefined {
    if (this.#traps.size === 0) return undefined;
    const text = data.toString('latin1');
    const trap = [...this.#traps].find((set) => set.direction === direction && set.words.test(text));
    if (trap !== undefined) this.#traps.delete(trap);
    return trap;
  }

  count(direction: Direction, bytes: number): void {
    this.#bytes[direction] += bytes;
  }

  countReset(): void {
    this.#resets += 1;
  }

  resetAll(): void {
    for (const connection of this.#connections) connection.reset();
  }

  halfClose(side: 'client' | 'target'): void {
    for (const connection of this.#connections) connection.halfClose(side);
  }

  counters(): ProxyCounters {
    return {
      accepted: this.#accepted,
      open: this.#connections.size,
      bytesUp: this.#bytes.up,
      bytesDown: this.#bytes.down,
      resets: this.#resets,
      requests: this.#requests,
    };
  }
}

type SetTrap = Moment & { readonly spring: () => void };

class Interceptor {
  hits = 0;
  released = false;

  constructor(readonly interception: Interception) {}

  takes({ method, path }: HttpRequest): boolean {
    const { interception } = this;
    if (this.hits >= (interception.times ?? Number.POSITIVE_INFINITY)) return false;
    if (interception.method !== undefined && interception.method !== method) return false;
    if (!interception.path.test(path)) return false;
    this.hits += 1;
    return true;
  }
}

class Connection {
  readonly closed: Promise<void>;
  #interceptor: Interceptor | undefined;
  /** One whose words have passed, and whose answer is still to come. */
  #awaited: SetTrap | undefined;
  #requests = new HttpRequests();
  #over = false;

  constructor(
    private readonly client: Socket,
    private readonly upstream: Socket,
    private readonly state: ProxyState,
  ) {
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    this.closed = new Promise((resolve) => {
      let left = 2;
      for (const socket of [client, upstream]) {
        socket.on('error', () => this.reset());
        socket.once('close', () => {
          left -= 1;
          if (left > 0) return;
          this.#over = true;
          state.wake();
          resolve();
        });
      }
    });
    void this.#flow('up', client, upstream);
    void this.#flow('down', upstream, client);
  }

  reset(): void {
    if (this.#over) return;
    this.#over = true;
    this.state.countReset();
    this.client.resetAndDestroy();
    this.upstream.resetAndDestroy();
    this.state.wake();
  }

  halfClose(side: 'client' | 'target'): void {
    (side === 'client' ? this.client : this.upstream).end();
  }

  async #flow(direction: Direction, from: Socket, to: Socket): Promise<void> {
    let carried = 0;
    try {
      for await (const data of delayed(from, this.state)) {
        if (!(await this.#passes(direction, data))) return;
        for (const piece of this.#pieces(data)) {
          const limit = this.state.faults.resetAfter;
          if (limit?.direction === direction && carried + piece.length > limit.bytes) {
            to.write(piece.subarray(0, Math.max(0, limit.bytes - carried)), () => this.reset());
            return;
          }
          carried += piece.length;
          this.state.count(direction, piece.length);
          if (!to.writable) return;
          if (!to.write(piece)) await drained(to);
          const rate = this.state.faults.bytesPerSecond;
          if (rate !== undefined) await delay((piece.length / rate) * 1000);
        }
      }
      if (await this.#heals(direction)) to.end();
    } catch {
      // The source broke: the other side learns it the same way.
      this.reset();
    }
  }

  /** False when these bytes, and with them the connection, are lost. */
  async #passes(direction: Direction, data: Buffer): Promise<boolean> {
    if (!(await this.#heals(direction))) return false;
    if (!(await this.#evades(direction, data))) return false;
    if (direction === 'up') {
      for (const request of this.#requests.feed(data)) this.#interceptor ??= this.state.match(request);
    }
    const hit = this.#interceptor;
    if (hit?.interception.lose !== (direction === 'up' ? 'request' : 'response')) return true;
    if (hit.interception.how === 'reset') {
      this.reset();
      return false;
    }
    while (!hit.released && !this.#over) await this.state.change();
    this.#interceptor = undefined;
    return !this.#over;
  }

  /** False when these bytes walked into a trap that withholds them. */
  async #evades(direction: Direction, data: Buffer): Promise<boolean> {
    const awaited = this.#awaited;
    const isAnswer = awaited !== undefined && awaited.direction !== direction;
    const trap = isAnswer ? awaited : this.state.caught(direction, data);
    if (trap === undefined) return true;
    if (trap.withhold === 'answer' && !isAnswer) {
      this.#awaited = trap;
      return true;
    }
    // What has passed has been written by the time that others have their turn.
    if (trap.withhold === 'nothing') {
      setImmediate(trap.spring);
      return true;
    }
    trap.spring();
    while (!this.#over) await this.state.change();
    return false;
  }

  /** Waits out a black hole; false when the connection ended meanwhile. */
  async #heals(direction: Direction): Promise<boolean> {
    while (this.state.isBlackHole(direction) && !this.#over) await this.state.change();
    return !this.#over;
  }

  /** Small pieces for a slow drip, whole chunks otherwise. */
  *#pieces(data: Buffer): Generator<Buffer> {
    const rate = this.state.faults.bytesPerSecond;
    const size = rate === undefined ? data.length : Math.max(1, Math.floor(rate / 20));
    for (let start = 0; start < data.length; start += size) yield data.subarray(start, start + size);
  }
}

/** What a socket says, each chunk held back for the latency that is set when it comes. */
async function* delayed(socket: Socket, state: ProxyState): AsyncGenerator<Buffer> {
  const arrived: Array<{ readonly data: Buffer; readonly dueAt: number }> = [];
  let ended = false;
  let failure: Error | undefined;
  let wake = () => {};
  socket.on('data', (data: Buffer) => {
    arrived.push({ data, dueAt: performance.now() + (state.faults.latencyMs ?? 0) });
    // A full pipe pushes back, as it does without us.
    if (arrived.length > 256) socket.pause();
    wake();
  });
  socket.once('end', () => {
    ended = true;
    wake();
  });
  socket.once('close', () => {
    if (!ended) failure ??= new Error('connection broke');
    ended = true;
    wake();
  });
  socket.once('error', (error) => {
    failure = error;
  });
  for (;;) {
    const next = arrived.shift();
    if (next) {
      if (socket.isPaused() && arrived.length < 64) socket.resume();
      const wait = next.dueAt - performance.now();
      if (wait > 0) await delay(wait);
      yield next.data;
    } else if (failure) {
      throw failure;
    } else if (ended) {
      return;
    } else {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.once('drain', done);
    socket.once('close', done);
  });
}
