import { channel } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { denied, notations } from './addresses.test-support.js';
import { EgressRules } from './egress-rules.js';
import { GuardedClient, egressLimits, type Outcome, type Resolve, type ResolvedAddress } from './guarded-client.js';

/** Names may use any port and http with this: of a target only its addresses are judged. */
const ALLOWED = '127.0.0.2';

async function listen(server: TcpServer, host: string, port = 0): Promise<number> {
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  return (server.address() as AddressInfo).port;
}
const close = (server: TcpServer | undefined): Promise<unknown> =>
  new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
const family = (address: string): number => (address.includes(':') ? 6 : 4);
const resolved = (...addresses: string[]): ResolvedAddress[] =>
  addresses.map((address) => ({ address, family: family(address) }));

describe('a canary on loopback', () => {
  const canaries: TcpServer[] = [];
  let port: number;
  let touched = 0;
  /** Sockets that this process began to connect, whatever came of them. */
  let begun = 0;
  const count = (): void => void (begun += 1);

  beforeAll(async () => {
    const canary = (): TcpServer =>
      createTcpServer((socket) => {
        touched += 1;
        socket.destroy();
      });
    canaries.push(canary(), canary());
    port = await listen(canaries[0] as TcpServer, '127.0.0.1');
    await listen(canaries[1] as TcpServer, '::1', port);
    channel('net.client.socket').subscribe(count);
  });
  afterAll(async () => {
    channel('net.client.socket').unsubscribe(count);
    await Promise.all(canaries.map(close));
  });
  beforeEach(() => {
    touched = 0;
    begun = 0;
  });

  const couldNot = { kind: 'failed', error: 'Could not connect.' };
  const post = (client: GuardedClient, url: string): Promise<Outcome> =>
    client.send({ method: 'POST', url, headers: {}, body: '{}' });

  it('is not reached by any notation of any address that is not public, and nothing else is', async () => {
    const client = new GuardedClient(new EgressRules([`${ALLOWED}/32`]));
    let tried = 0;
    for (const address of denied) {
      const all = notations(address);
      expect(all.length).toBeGreaterThanOrEqual(8);
      for (const notation of all) {
        for (const url of [`http://${notation}:${port}/`, `https://${notation}:${port}/`, `https://${notation}/`]) {
          expect(await post(client, url), url).toMatchObject(couldNot);
          tried += 1;
        }
      }
    }
    await client.close();
    expect(tried).toBeGreaterThan(45 * 8);
    expect([touched, begun]).toEqual([0, 0]);
  });

  it('is not reached by a name that leads to such an address, alone or behind a public one', async () => {
    for (const address of denied) {
      for (const answer of [
        resolved(address),
        resolved('1.1.1.1', address),
        resolved(address, '2606:4700:4700::1111'),
      ]) {
        const client = new GuardedClient(new EgressRules([]), egressLimits, () => Promise.resolve(answer));
        expect(await post(client, 'https://inside.example/'), address).toMatchObject(couldNot);
        await client.close();
      }
    }
    expect(touched).toBe(0);
  });

  it('is not reached in 1,000 tries by a name that changes its address between question and connection', async () => {
    let served = 0;
    const allowed: Server = createServer((_request, response) => {
      served += 1;
      // Each request has to resolve its name anew.
      response.writeHead(200, { connection: 'close' }).end();
    });
    await listen(allowed, ALLOWED, port);
    let asked = 0;
    let mayConnect = 0;
    const turns = [
      resolved(ALLOWED),
      resolved('127.0.0.1'),
      resolved(ALLOWED),
      resolved('::1'),
      resolved(ALLOWED, '127.0.0.1'),
      resolved('::ffff:127.0.0.1'),
      resolved('127.0.0.1', ALLOWED),
    ];
    const rebinding: Resolve = () => {
      const answer = turns[asked % turns.length] ?? [];
      asked += 1;
      if (answer.every(({ address }) => address === ALLOWED)) mayConnect += 1;
      return Promise.resolve(answer);
    };
    const client = new GuardedClient(new EgressRules([`${ALLOWED}/32`]), egressLimits, rebinding);
    for (let i = 0; i < 1_000; i++) await post(client, `http://rebind.example:${port}/`);
    await client.close();
    await close(allowed);
    expect(touched).toBe(0);
    // One question for each connection: what was checked is what was connected to.
    expect(asked).toBe(1_000);
    expect(served).toBe(mayConnect);
    expect(served).toBeGreaterThan(250);
  });
});

describe('TLS', () => {
  const pem = (name: string): Buffer => readFileSync(`test/fixtures/tls/${name}`);
  const server = createTlsServer(
    { cert: pem('hooks.example.pem'), key: pem('hooks.example.key') },
    (_request, response) => response.end('safe'),
  );
  const clients: GuardedClient[] = [];
  let port: number;
  beforeAll(async () => {
    port = await listen(server, '127.0.0.1');
  });
  afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())));
  afterAll(() => close(server));

  const get = (url: string, ca?: string): Promise<Outcome> => {
    const here: Resolve = () => Promise.resolve(resolved('127.0.0.1'));
    const client = new GuardedClient(new EgressRules(['127.0.0.1/32']), egressLimits, here, ca);
    clients.push(client);
    return client.send({ method: 'GET', url, headers: {} });
  };

  it('checks the certificate for the name, at the address that was checked', async () => {
    const ca = pem('ca.pem').toString();
    expect(await get(`https://hooks.example:${port}/`, ca)).toMatchObject({ status: 200, excerpt: 'safe' });
    expect(await get(`https://other.example:${port}/`, ca)).toMatchObject({
      kind: 'failed',
      error: 'TLS failed: cert altname invalid.',
    });
  });

  it('refuses a certificate of an authority that nobody trusts, and what is no TLS, in words', async () => {
    expect(await get(`https://hooks.example:${port}/`)).toMatchObject({
      kind: 'failed',
      error: 'TLS failed: unable to verify leaf signature.',
    });
    const plain = createServer();
    const plainPort = await listen(plain, '127.0.0.1');
    const outcome = await get(`https://hooks.example:${plainPort}/`);
    await close(plain);
    expect(outcome).toMatchObject({ kind: 'failed', error: expect.stringMatching(/^TLS failed: /) as string });
  });
});
