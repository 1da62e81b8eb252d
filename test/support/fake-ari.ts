import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';

export type FakeAriRequest = { readonly method: string; readonly path: string; readonly password: string };
/** Answers a request itself, or returns false to leave it to the fake. */
export type FakeAnswer = (
  request: FakeAriRequest,
  response: ServerResponse,
  raw: IncomingMessage,
) => boolean | Promise<boolean>;

/** What the fake serves when nobody scripts it otherwise: the least that a session needs. */
const documents: Readonly<Record<string, unknown>> = {
  '/ari/asterisk/info': {
    system: { version: '22.10.1' },
    status: { startup_time: '2026-11-22T08:39:46.228+0000' },
  },
  '/ari/asterisk/modules': [],
  '/ari/channels': [],
  '/ari/bridges': [],
};

/**
 * Something that speaks ARI as told, for what a real Asterisk cannot be made to say. Serves the catalogue that
 * `ari-client` loads, a list of channels and of bridges, and the event socket.
 */
export class FakeAri {
  readonly requests: FakeAriRequest[] = [];
  readonly sockets: WebSocket[] = [];
  /** Takes a request away from the fake. */
  answer: FakeAnswer = () => false;
  /** Takes an upgrade away from the fake. */
  upgrade: (request: IncomingMessage, socket: Duplex) => boolean = () => false;
  /** What `GET` of a path answers. */
  readonly documents: Record<string, unknown> = { ...documents };
  /** Set to have every channel's list say who asked. */
  password = 'secret';
  readonly #connections = new Set<Socket>();
  readonly #server = createServer((request, response) => void this.#respond(request, response));
  readonly #upgrades = new WebSocketServer({ noServer: true });

  static async start(): Promise<FakeAri> {
    const fake = new FakeAri();
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  private constructor() {
    // Idle connections shall not be taken for forgotten ones.
    this.#server.keepAliveTimeout = 50;
    this.#server.on('connection', (socket) => {
      this.#connections.add(socket);
      socket.on('close', () => this.#connections.delete(socket));
    });
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', () => undefined);
      this.#note(request);
      if (this.upgrade(request, socket)) return;
      if (passwordOf(request) !== this.password) {
        socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
        return;
      }
      this.#upgrades.handleUpgrade(request, socket, head, (opened) => {
        opened.on('error', () => undefined);
        this.sockets.push(opened);
      });
    });
  }

  get ariUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/ari`;
  }

  get address() {
    return { ariUrl: this.ariUrl, username: 'ringline', password: this.password };
  }

  /** A frame to everybody who listens; text is sent as it is. */
  send(frame: unknown): void {
    for (const socket of this.sockets) socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** Breaks what is open, without a word. */
  cut(): void {
    this.sockets.length = 0;
    for (const connection of this.#connections) connection.destroy();
  }

  /** How many connections somebody holds to it. */
  connections(): number {
    return this.#connections.size;
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #note(request: IncomingMessage): FakeAriRequest {
    const noted = { method: request.method ?? '', path: request.url ?? '', password: passwordOf(request) };
    this.requests.push(noted);
    return noted;
  }

  async #respond(raw: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = this.#note(raw);
    raw.resume();
    if (await this.answer(request, response, raw)) return;
    const [path = ''] = request.path.split('?');
    // Asterisk serves its catalogue to everybody who may log in.
    if (request.password !== this.password) return send(response, 401, { message: 'Authentication required' });
    const document = path.startsWith('/ari/api-docs/') ? catalogue(this.ariUrl, path) : this.documents[path];
    if (document === undefined) return send(response, 404, { message: 'Not found' });
    return send(response, 200, document);
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function passwordOf(request: IncomingMessage): string {
  const [, encoded] = /^Basic (.+)$/.exec(request.headers.authorization ?? '') ?? [];
  const login =
    encoded === undefined
      ? (new URL(request.url ?? '', 'http://fake').searchParams.get('api_key') ?? '')
      : Buffer.from(encoded, 'base64').toString();
  return login.slice(login.indexOf(':') + 1);
}

/** Asterisk's catalogue (Swagger 1.1), cut down to what is read. */
function catalogue(basePath: string, path: string): unknown {
  const about = { swaggerVersion: '1.1', apiVersion: '9.0.0', basePath };
  const [, resource = ''] = /([a-z]+)\.json$/.exec(path) ?? [];
  if (resource === 'resources') {
    const apis = ['channels', 'bridges'].map((name) => ({ path: `/api-docs/${name}.{format}`, description: name }));
    return { ...about, apis };
  }
  const type = { channels: 'List[Channel]', bridges: 'List[Bridge]' }[resource];
  if (type === undefined) return undefined;
  const list = { httpMethod: 'GET', nickname: 'list', summary: 'List', responseClass: type, parameters: [] };
  return {
    ...about,
    resourcePath: `/api-docs/${resource}.{format}`,
    apis: [{ path: `/${resource}`, description: resource, operations: [list] }],
    models: {},
  };
}
