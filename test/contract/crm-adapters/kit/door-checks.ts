import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DoorRequest, DoorVerdict } from '../../../../src/crm/port/door.js';
import type { Check } from './check.js';
import { withWrongSecrets } from './declaration-checks.js';
import { ensure, type Scene } from './scene.js';
import { isCaller } from './sample-calls.js';

/** What the CRM sends to a door when somebody clicks on a number; null where it sends none by itself. */
async function clicked(scene: Scene): Promise<DoorRequest | null> {
  if (scene.crm.click === undefined) return null;
  const seen: DoorRequest[] = [];
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const url = new URL(incoming.url ?? '/', 'http://door');
      const headers = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)] as const);
      seen.push({
        method: incoming.method ?? '',
        headers: Object.fromEntries(headers),
        query: Object.fromEntries(url.searchParams),
        body: new Uint8Array(Buffer.concat(chunks)),
      });
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    await scene.crm.click({ userId: scene.anna, number: '+493090182055', doorUrl: `http://127.0.0.1:${port}/door` });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  const [request] = seen;
  ensure(request !== undefined, 'the simulator sent nothing to the door');
  return request;
}

function read(scene: Scene, request: DoorRequest, settings: Record<string, unknown> = scene.settings): DoorVerdict {
  const verdict = scene.entry.adapter.parseInbound?.(request, settings);
  ensure(verdict !== undefined, 'there is no parseInbound');
  return verdict;
}

/** By its own word alone a request opens nothing. */
const without: Readonly<Record<string, (request: DoorRequest) => DoorRequest>> = {
  headers: (request) => ({ ...request, headers: { 'content-type': request.headers['content-type'] ?? '' } }),
  query: (request) => ({ ...request, query: {} }),
  body: (request) => ({ ...request, body: new Uint8Array() }),
};

export const doorChecks: readonly Check[] = [
  {
    name: 'takes a click on a number for a wish of who clicked, once',
    applies: ({ doors }) => doors.includes('dial'),
    run: async (scene) => {
      const request = await clicked(scene);
      ensure(request !== null, 'a door for clicks is declared, and the simulator has no click to prove it with');
      const verdict = read(scene, request);
      ensure(verdict.kind === 'wished' && verdict.wish.wish === 'dial', JSON.stringify(verdict));
      ensure(verdict.wish.userId === scene.anna, `it is the wish of ${verdict.wish.userId}`);
      ensure(isCaller(verdict.wish.number), `it wants ${verdict.wish.number}`);
      const again = read(scene, request);
      const other = read(scene, (await clicked(scene))!);
      ensure(again.kind === 'wished' && again.wish.key === verdict.wish.key, 'the same click has another key');
      // Null: the body stands for it.
      const differs = other.kind === 'wished' && (other.wish.key === null || other.wish.key !== verdict.wish.key);
      ensure(differs, 'another click has the same key');
    },
  },
  {
    name: 'takes no click that is signed with another secret, or not at all',
    applies: ({ doors }) => doors.includes('dial'),
    run: async (scene) => {
      const request = await clicked(scene);
      ensure(request !== null, 'the simulator has no click');
      const forged = read(scene, request, withWrongSecrets(scene));
      ensure(forged.kind === 'forged', `with another secret: ${JSON.stringify(forged)}`);
      const verdicts = Object.values(without).map((strip) => read(scene, strip(request)).kind);
      ensure(verdicts.includes('forged'), `stripped of everything it is ${verdicts.join(', ')}`);
      ensure(read(scene, without['body']!(request)).kind !== 'wished', 'it wishes something with an empty body');
    },
  },
  {
    name: 'gives a verdict whatever comes to its door',
    applies: ({ doors }) => doors.length > 0,
    run: async (scene) => {
      const bodies = ['', 'null', '[]', '{}', '{"id":{}}', '%', 'a=b&auth[application_token]=x', '\xff\xfe'];
      for (const body of bodies) {
        for (const method of ['POST', 'GET', 'PUT']) {
          const request = { method, headers: {}, query: { token: 'x' }, body: Buffer.from(body, 'latin1') };
          const { kind } = read(scene, request);
          ensure(kind !== 'wished', `${method} ${body} opened it`);
        }
      }
      await Promise.resolve();
    },
  },
];
