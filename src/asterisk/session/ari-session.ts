import domain from 'node:domain';
import { createRequire } from 'node:module';
import { WebSocket } from 'ws';
import type { AriBridge, AriChannel, AriFrame } from '../ari-frame.js';
import { parseFrame } from '../ari-frame.js';
import type { AriNodeAddress } from './commands.js';

/** A read, or the opening of the socket, may take this long, ms. */
const DEADLINE_MS = 3_000;
/** Loading the catalogue of operations takes a dozen requests. */
const LOAD_DEADLINE_MS = 10_000;
const PING_EVERY_MS = 3_000;
/** A socket that has not answered pings for this long is dead, ms. */
const DEAD_AFTER_MS = 9_000;
/** Asterisk's frames are a few kB; a conference of many channels may be some 60 kB. */
const MAX_FRAME_BYTES = 1_048_576;

export type SessionHandlers = {
  /** One event. Called in the order in which the switch sent them. */
  readonly onFrame: (frame: AriFrame, receivedAt: number) => void;
  /** A frame that is no event: it is counted and passed over. */
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
  close(reason: string): void;
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
 * - it runs in a domain, which catches what it throws outside of promises;
 * - every call is raced against a deadline.
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
  readonly #domain = domain.create();
  readonly #module: AriClientModule;
  readonly #failures: ((error: Error) => void)[] = [];
  #client: Client | null = null;
  #socket: ContainedSocket | null = null;
  #heardAt = Date.now();
  #pings: NodeJS.Timeout | null = null;
  #state: 'opening' | 'open' | 'closed' = 'opening';

  constructor(
    private readonly address: AriNodeAddress,
    private readonly handlers: SessionHandlers,
  ) {
    this.#domain.on('error', (error: unknown) => {
      const failure = error instanceof Error ? error : new Error(String(error));
      for (const fail of this.#failures.splice(0)) fail(failure);
    });
    this.#module = loadAriClient((url) => this.#openSocket(url));
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
    this.#state = 'open';
    this.#heardAt = Date.now();
    this.#pings = setInterval(() => this.#ping(), PING_EVERY_MS);
    this.#pings.unref();
  }

  channels(): Promise<readonly AriChannel[]> {
    return this.#guarded(DEADLINE_MS, 'reading the channels', async () =>
      plain(await (this.#client as Client).channels.list()),
    );
  }

  bridges(): Promise<readonly AriBridge[]> {
    return this.#guarded(DEADLINE_MS, 'reading the bridges', async () =>
      plain(await (this.#client as Client).bridges.list()),
    );
  }

  close(reason: string): void {
    this.#end(reason);
    this.#socket?.close();
    // A peer that does not answer the close is not waited for.
    setTimeout(() => this.#socket?.terminate(), 1_000).unref();
  }

  /** Gives up an opening that failed: nothing it still has under way may come to anything. */
  abandon(): void {
    this.#state = 'closed';
    this.#socket?.terminate();
  }

  #ping(): void {
    if (Date.now() - this.#heardAt > DEAD_AFTER_MS) {
      this.#end(`nothing heard for ${DEAD_AFTER_MS / 1000} s`);
      this.#socket?.terminate();
    } else if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.ping();
  }

  #openSocket(url: string): ContainedSocket {
    // ari-client retries by itself after a failure; it must not open a socket that nobody holds.
    if (this.#state === 'closed') throw new Error('the session was given up');
    this.#socket?.terminate();
    const socket = new ContainedSocket(url);
    this.#socket = socket;
    socket.listen('message', (data: unknown) => {
      if (this.#state === 'closed') return;
      const receivedAt = Date.now();
      this.#heardAt = receivedAt;
      const frame = parseFrame(String(data));
      if (frame === null) this.handlers.onBadFrame('not an event');
      else this.handlers.onFrame(frame, receivedAt);
    });
    socket.listen('pong', () => (this.#heardAt = Date.now()));
    socket.listen('error', (error: unknown) => {
      for (const fail of this.#failures.splice(0)) fail(error as Error);
      if (socket === this.#socket) this.#end((error as Error).message);
    });
    socket.listen('close', (code: unknown) => {
      if (socket === this.#socket) this.#end(`the socket closed with code ${String(code)}`);
    });
    return socket;
  }

  #end(reason: string): void {
    const wasOpen = this.#state === 'open';
    this.#state = 'closed';
    if (this.#pings !== null) clearInterval(this.#pings);
    if (wasOpen) this.handlers.onClosed(reason);
  }

  /** Runs something of ari-client: whatever it throws, wherever, and however long it takes, this settles. */
  async #guarded<T>(deadlineMs: number, what: string, run: () => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const failed = new Promise<never>((_, reject) => {
      this.#failures.push(reject);
      timer = setTimeout(() => reject(new Error(`${what} took over ${deadlineMs / 1000} s`)), deadlineMs);
    });
    failed.catch(() => undefined);
    try {
      return await Promise.race([this.#domain.run(() => Promise.resolve(run())), failed]);
    } finally {
      clearTimeout(timer);
    }
  }
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

const require = createRequire(import.meta.url);

/** A fresh instance of ari-client and of what holds its state, opening sockets through `openSocket`. */
function loadAriClient(openSocket: (url: string) => ContainedSocket): AriClientModule {
  const path = require.resolve('ari-client');
  const itsRequire = createRequire(path);
  const wsPath = itsRequire.resolve('ws');
  const swaggerPath = itsRequire.resolve('swagger-client');
  const ws = require.cache[wsPath];
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
    const swagger = itsRequire(swaggerPath) as {
      SwaggerApi: { prototype: { fail(this: { failure(message: string): void }, message: string): void } };
    };
    // It makes a global of this name, and writes to standard output through it.
    (globalThis as { log?: unknown }).log = () => undefined;
    // It calls the failure handler and then throws the same text where nobody can catch it.
    swagger.SwaggerApi.prototype.fail = function fail(message) {
      this.failure(message);
    };
    return itsRequire(path) as AriClientModule;
  } finally {
    if (ws === undefined) delete require.cache[wsPath];
    else require.cache[wsPath] = ws;
    drop();
  }
}
