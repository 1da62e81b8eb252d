import type { ClientRequest } from 'node:http';
import { createRequire } from 'node:module';
import { WebSocket } from 'ws';
import type { AriBridge, AriChannel, AriFrame } from '../ari-frame.js';
import { parseFrame, readBridges, readChannels } from '../ari-frame.js';
import type { AriNodeAddress } from './commands.js';

/** A read, or the opening of the socket, may take this long, ms. */
const DEADLINE_MS = 3_000;
/** Loading the catalogue of operations takes a dozen requests. */
const LOAD_DEADLINE_MS = 10_000;
const PING_EVERY_MS = 3_000;
/** How long a socket that went silent may still bring what was under way, ms. */
const LINGER_MS = 60_000;
const CLOSE_DEADLINE_MS = 1_000;
/** A socket that has not answered pings for this long is dead, ms. */
const DEAD_AFTER_MS = 9_000;
/** How late that may be noticed, ms. */
const LOOK_EVERY_MS = 500;
/** Who looks so late was held up himself, ms. */
const HELD_UP_MS = 2_000;
/** Asterisk's frames are a few kB; a conference of many channels may be some 60 kB. */
const MAX_FRAME_BYTES = 1_048_576;

export type SessionHandlers = {
  /** True for a message that need not be read. */
  readonly skips?: (text: string) => boolean;
  /** One message, exactly as it came, before anything is made of it. */
  readonly onText?: (text: string) => void;
  /** One event. Called in the order in which the switch sent them. */
  readonly onFrame: (frame: AriFrame, receivedAt: number) => void;
  /** A frame that is no event, or that `onFrame` could not take: it is counted and passed over. */
  readonly onBadFrame: (reason: string) => void;
  /** The session is over, whoever ended it. Called once. */
  readonly onClosed: (reason: string) => void;
};

/** What Ringline needs of an open session: its events come through the handlers. */
export interface AriSession {
  channels(): Promise<readonly AriChannel[]>;
  bridges(): Promise<readonly AriBridge[]>;
  /** When the switch was last heard, ms. */
  readonly lastHeardAt: number;
  /** Resolves when the switch has let go of the socket, and so of the app: after a second at the latest. */
  close(reason: string): Promise<void>;
}

/** The surface of `ari-client` that is used. Its types describe resources, not the catalogue. */
type Client = {
  start(app: string): Promise<void>;
  channels: { list(): Promise<AriChannel[]> };
  bridges: { list(): Promise<AriBridge[]> };
};
type AriClientModule = { connect(url: string, username: string, password: string): Promise<Client> };

/**
 * Opens a session through `ari-client`, which loads the operations from the switch's own catalogue, opens the event socket
 * and does the reads. It is contained here, since by itself (version 2.2.0) it ends the process on an event that it has no
 * model for, on a frame that is not JSON and on a refused login; shares one set of credentials among all nodes; reconnects
 * behind the caller's back; and never settles a request whose connection is cut:
 * - each node has its own instance of the module, so credentials do not mix;
 * - it gets a socket whose messages and end come to us alone;
 * - what it throws where no promise catches it is caught in the callbacks of its requests (not by a domain: that would hook
 *   every promise and emitter of the process, which costs more than all we do with a call);
 * - every call is raced against a deadline, and its requests end by then too.
 *
 * @throws {Error} when the switch cannot be reached, refuses the login, or does not answer in time.
 */
export async function openAriSession(
  address: AriNodeAddress,
  app: string,
  handlers: SessionHandlers,
): Promise<AriSession> {
  const box = new ContainedClient(address, handlers);
  try {
    await box.open(app);
    return box;
  } catch (error) {
    box.abandon();
    throw error;
  }
}

class ContainedClient implements AriSession {
  readonly #module: AriClientModule;
  /** What to call when something under way fails. */
  readonly #failures = new Set<(error: Error) => void>();
  #client: Client | null = null;
  #socket: ContainedSocket | null = null;
  #heardAt = Date.now();
  #looks: NodeJS.Timeout | null = null;
  #pingedAt = 0;
  /** `silent`: given up for dead, but what was sent before the line went quiet may still arrive. */
  #state: 'opening' | 'open' | 'silent' | 'closed' = 'opening';
  #lookedAt = Date.now();

  constructor(
    private readonly address: AriNodeAddress,
    private readonly handlers: SessionHandlers,
  ) {
    this.#module = loadAriClient(
      (url) => this.#openSocket(url),
      (error) => this.#failAll(toError(error)),
    );
  }

  get lastHeardAt(): number {
    return this.#heardAt;
  }

  async open(app: string): Promise<void> {
    const { ariUrl, username, password } = this.address;
    // ari-client adds `/ari` itself.
    const base = ariUrl.replace(/\/ari\/?$/, '');
    this.#client = await this.#guarded(LOAD_DEADLINE_MS, 'loading the operations', () =>
      this.#module.connect(base, username, password),
    );
    await this.#guarded(DEADLINE_MS, 'opening the event socket', () => (this.#client as Client).start(app));
    // It may have closed in the same moment, before anybody would have been told.
    if (this.#state !== 'opening' || this.#socket?.readyState !== WebSocket.OPEN)
      throw new Error('the event socket closed as soon as it was open');
    this.#state = 'open';
    this.#heardAt = Date.now();
    this.#lookedAt = Date.now();
    this.#looks = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#looks.unref();
  }

  channels(): Promise<readonly AriChannel[]> {
    return this.#guarded(DEADLINE_MS, 'reading the channels', async () =>
      readChannels(plain(await (this.#client as Client).channels.list())),
    );
  }

  bridges(): Promise<readonly AriBridge[]> {
    return this.#guarded(DEADLINE_MS, 'reading the bridges', async () =>
      readBridges(plain(await (this.#client as Client).bridges.list())),
    );
  }

  async close(reason: string): Promise<void> {
    this.#end(reason);
    const socket = this.#socket;
    if (socket === null || socket.readyState === WebSocket.CLOSED) return;
    const closed = new Promise<unknown>((resolve) => socket.listen('close', resolve));
    socket.close();
    // A peer that does not answer the close is not waited for.
    const giveUp = setTimeout(() => socket.terminate(), CLOSE_DEADLINE_MS);
    await closed;
    clearTimeout(giveUp);
  }

  /** Gives up an opening that failed: nothing it still has under way may come to anything. */
  abandon(): void {
    this.#state = 'closed';
    this.#socket?.terminate();
  }

  /** Whether the switch is still heard; asks it to say something from time to time. */
  #look(): void {
    const now = Date.now();
    const stalled = now - this.#lookedAt > HELD_UP_MS;
    this.#lookedAt = now;
    // We were held up ourselves: what came meanwhile lies in the socket and is read first.
    if (stalled) this.#heardAt = Math.max(this.#heardAt, now - DEAD_AFTER_MS + PING_EVERY_MS);
    if (now - this.#heardAt > DEAD_AFTER_MS) this.#goSilent(`nothing heard for ${DEAD_AFTER_MS / 1000} s`);
    else if (now - this.#pingedAt >= PING_EVERY_MS && this.#socket?.readyState === WebSocket.OPEN) {
      this.#pingedAt = now;
      this.#socket.ping();
    }
  }

  /**
   * The session is over, but the socket is kept for a while: when the line was only cut, the switch's side repeats what it
   * sent, and events that would be lost arrive late. Facts may come twice and in any order.
   */
  #goSilent(reason: string): void {
    this.#end(reason);
    this.#state = 'silent';
    setTimeout(() => this.#socket?.terminate(), LINGER_MS).unref();
  }

  #openSocket(url: string): ContainedSocket {
    // ari-client retries by itself after a failure; it must not open a socket that nobody holds.
    if (this.#state === 'closed') throw new Error('the session was given up');
    this.#socket?.terminate();
    const socket = new ContainedSocket(url);
    this.#socket = socket;
    socket.listen('message', (data: unknown) => this.#onMessage(String(data)));
    socket.listen('pong', () => (this.#heardAt = Date.now()));
    socket.listen('error', (error: unknown) => {
      if (socket === this.#socket) this.#onBroken(toError(error).message);
    });
    socket.listen('close', (code: unknown) => {
      if (socket === this.#socket) this.#onBroken(`the socket closed with code ${String(code)}`);
    });
    return socket;
  }

  #onMessage(data: string): void {
    if (this.#state === 'closed') return;
    const receivedAt = Date.now();
    this.#heardAt = receivedAt;
    if (this.handlers.skips?.(data) === true) return;
    this.handlers.onText?.(data);
    const frame = parseFrame(data);
    if (frame === null) {
      this.handlers.onBadFrame('not an event');
      return;
    }
    try {
      this.handlers.onFrame(frame, receivedAt);
    } catch (error) {
      this.handlers.onBadFrame(`${frame.type} cannot be followed: ${toError(error).message}`);
    }
  }

  /** The end is heard like all else: until then the switch told what happened. */
  #onBroken(reason: string): void {
    if (this.#state === 'open') this.#heardAt = Date.now();
    this.#end(reason);
  }

  #failAll(error: Error): void {
    for (const fail of this.#failures) fail(error);
    this.#failures.clear();
  }

  #end(reason: string): void {
    const wasOpen = this.#state === 'open';
    this.#state = 'closed';
    if (this.#looks !== null) clearInterval(this.#looks);
    this.#failAll(new Error(reason));
    if (wasOpen) this.handlers.onClosed(reason);
  }

  /** Runs something of ari-client: whatever it throws, wherever, and however long it takes, this settles. */
  async #guarded<T>(deadlineMs: number, what: string, run: () => Promise<T>): Promise<T> {
    if (this.#state === 'closed' || this.#state === 'silent') throw new Error('the session is over');
    let settle!: (error: Error) => void;
    const failed = new Promise<never>((_, reject) => (settle = reject));
    failed.catch(() => undefined);
    this.#failures.add(settle);
    const timer = setTimeout(() => settle(new Error(`${what} took over ${deadlineMs / 1000} s`)), deadlineMs);
    try {
      return await Promise.race([run(), failed]);
    } catch (error) {
      // It also rejects with plain text.
      throw toError(error);
    } finally {
      clearTimeout(timer);
      this.#failures.delete(settle);
    }
  }
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** A socket that tells ari-client that it opened, and nothing else: messages, errors and the end are ours. */
class ContainedSocket extends WebSocket {
  constructor(url: string) {
    super(url, {
      handshakeTimeout: DEADLINE_MS,
      maxPayload: MAX_FRAME_BYTES,
      perMessageDeflate: false,
      followRedirects: false,
    });
  }

  override on(event: string, listener: (...args: never[]) => void): this {
    return event === 'open' ? super.on(event, listener) : this;
  }

  listen(event: string, listener: (...args: unknown[]) => void): void {
    super.on(event, listener);
  }
}

/** ari-client wraps what it reads into resources that point back at the client; only their data is wanted. */
function plain<T>(resources: T[]): T[] {
  return resources.map((resource) => {
    const copy: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(resource as Record<string, unknown>))
      if (!key.startsWith('_') && typeof value !== 'function') copy[key] = value;
    return copy as T;
  });
}

/** The parts of ari-client's own client that are changed. */
type SwaggerModule = {
  SwaggerApi: { prototype: { fail(this: { failure(message: string): void }, message: string): void } };
  ShredHttpClient: {
    prototype: { execute: (this: ShredClient, options: unknown) => { readonly _raw: ClientRequest } };
  };
};

/** It calls back through `on`, and what is thrown there would end the process. */
type ShredClient = { readonly shred: { request(options: ShredRequest): unknown } };
type ShredRequest = { on: Record<string, (...args: unknown[]) => unknown> };

const require = createRequire(import.meta.url);

/** A fresh instance of ari-client and of what holds its state, opening sockets through `openSocket`. */
function loadAriClient(
  openSocket: (url: string) => ContainedSocket,
  onThrow: (error: unknown) => void,
): AriClientModule {
  const path = require.resolve('ari-client');
  const itsRequire = createRequire(path);
  const wsPath = itsRequire.resolve('ws');
  const requestPath = itsRequire.resolve('request');
  const swaggerPath = itsRequire.resolve('swagger-client');
  const request = itsRequire('request') as (options: object, done: () => void) => void;
  const [ws, requestModule] = [require.cache[wsPath], require.cache[requestPath]];
  const isOwn = (id: string): boolean => /[/\\]node_modules[/\\](?:ari-client|swagger-client)[/\\]/.test(id);
  const drop = (): void => {
    for (const id of Object.keys(require.cache)) if (isOwn(id)) delete require.cache[id];
  };
  drop();
  try {
    // `new WebSocket(url)` in ari-client returns what this function returns.
    require.cache[wsPath] = {
      exports: function open(url: string) {
        return openSocket(url);
      },
    } as unknown as NodeJS.Module;
    // Its first request, and those of its reads below, would wait for ever, and so keep their connections.
    require.cache[requestPath] = {
      exports: (url: string, done: () => void) => request({ url, timeout: DEADLINE_MS, followRedirect: false }, done),
    } as unknown as NodeJS.Module;
    const swagger = itsRequire(swaggerPath) as SwaggerModule;
    const http = swagger.ShredHttpClient.prototype;
    const { execute } = http;
    http.execute = function executeInTime(options) {
      const prototype = Object.getPrototypeOf(this.shred) as ShredClient['shred'];
      this.shred.request = (sending) => {
        sending.on = Object.fromEntries(
          Object.entries(sending.on).map(([name, call]) => [name, caught(call, onThrow)]),
        );
        return prototype.request.call(this.shred, sending);
      };
      const sent = execute.call(this, options);
      const { _raw: raw } = sent;
      raw.setTimeout(DEADLINE_MS, () => raw.destroy());
      return sent;
    };
    // It makes a global of this name, and writes to standard output through it.
    (globalThis as { log?: unknown }).log = () => undefined;
    // It calls the failure handler and then throws the same text where nobody can catch it.
    swagger.SwaggerApi.prototype.fail = function fail(message) {
      this.failure(message);
    };
    return itsRequire(path) as AriClientModule;
  } finally {
    for (const [id, module] of [
      [wsPath, ws],
      [requestPath, requestModule],
    ] as const) {
      if (module === undefined) delete require.cache[id];
      else require.cache[id] = module;
    }
    drop();
  }
}

function caught(call: (...args: unknown[]) => unknown, onThrow: (error: unknown) => void): typeof call {
  return (...args) => {
    try {
      return call(...args);
    } catch (error) {
      onThrow(error);
      return undefined;
    }
  };
}
