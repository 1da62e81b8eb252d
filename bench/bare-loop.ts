// What HTTP alone costs: the bodies of a file, one a line, sent as fast as sixteen connections take them. Prints the milliseconds.
import { readFile } from 'node:fs/promises';

import { Pool } from 'undici';

const CONNECTIONS = 16;
const [url = '', file = '', count = '0'] = process.argv.slice(2);
const { origin, pathname } = new URL(url);
const bodies = (await readFile(file, 'utf8')).trimEnd().split('\n');
const pool = new Pool(origin, { connections: CONNECTIONS });
const headers = { 'content-type': 'application/json' };
let left = Number(count);

async function connection(): Promise<void> {
  while (left > 0) {
    left -= 1;
    const body = bodies[left % bodies.length] ?? '';
    const answer = await pool.request({ method: 'POST', path: pathname, headers, body });
    await answer.body.dump();
  }
}
const startedAt = performance.now();
await Promise.all(Array.from({ length: CONNECTIONS }, connection));
process.stdout.write(`${performance.now() - startedAt}\n`);
await pool.close();
