import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startRingline, type LabRingline } from '../../lab/ringline.js';
import type { Phone } from '../../lab/sipp.js';
import { startLab, type Lab } from '../../lab/start-lab.js';

const NUMBER = '+4930901820';
const CUSTOMER = '+4930111222';
const SCRIPT_TIMEOUT_MS = 90_000;

let lab: Lab;
let ringline: LabRingline;
let carrier: Phone;
/** What the blocks of the guide printed. */
let stdout: string;
let agentId: string;
let tenantId: string;

beforeAll(async () => {
  lab = await startLab();
  ringline = await startRingline(lab);
  await ringline.ready();
  await lab.sipp.phone({ register: ['agent1'], ringMs: 300, media: 'none' });
  carrier = await lab.sipp.phone({ port: lab.ports.trunk, ringMs: 300, talkMs: 1_000, media: 'none' });
  ({ stdout } = await runBlocks('docs/join-your-asterisk.md', 'echo; echo "IDS $AGENT $TENANT"', {
    PATH: `${await folderWithAsteriskCommand()}:${process.env['PATH']}`,
    RINGLINE: ringline.url,
    KEY: ringline.apiKey,
    ARI_URL: lab.asterisk.ariUrl,
    CEL_FILE: lab.asterisk.celFile,
    ARI_PASSWORD: lab.asterisk.password,
    NUMBER,
    DID: NUMBER.slice(1),
    PHONE: 'agent1',
    TRUNK: 'trunk',
    CUSTOMER,
  }));
  [, agentId = '', tenantId = ''] = /^IDS (\S+) (\S+)$/m.exec(stdout) ?? [];
});
afterAll(async () => {
  await ringline?.stop();
  await lab?.stop();
});

it('docs/join-your-asterisk.md: its commands join a real Asterisk and place a call, as they are written', async () => {
  // What the text says one sees.
  expect(stdout).toContain('Server Enabled and Bound');
  expect(stdout).toMatch(/^No\s+No\s+ringline\s*$/m);
  expect(stdout).toContain("Context 'ringline-inbound'");
  expect(stdout).toContain('0 modules loaded');
  expect(stdout).toContain('"outcome":"answered"');
  expect(stdout).toContain('the other party was joined');
  expect(stdout).toContain('"pattern":"+4930111555"');
  expect(stdout).toMatch(/"secret":"rl_/);
  expect(stdout).toContain('CEL Logging: Enabled');
  expect(stdout).toContain('CEL Tracking Event: CHAN_END');
  expect(stdout).toContain(`"celFile":"${lab.asterisk.celFile}"`);
  expect(stdout).toContain('"scopes":["cel:write"]');
  const [call] = await carrier.calls();
  expect(call?.fromUser).toBe(NUMBER);
});

it('README.md: its first curl places a call', async () => {
  const key = await ringline.call('POST', '/v1/api-keys', {
    body: { name: 'first curl', tenantId, scopes: ['calls:read', 'calls:write'] },
  });
  const file = join(lab.dir, 'api-key');
  await writeFile(file, `${key.body.secret as string}\n`);
  const { stdout: answer } = await runBlocks('README.md', '', {
    RINGLINE: ringline.url,
    KEY_FILE: file,
    AGENT: agentId,
  });
  const call = JSON.parse(answer) as { id: string; to: { e164: string } };
  expect(call.to.e164).toBe('+4930111333');
  const rung = await carrier.call(
    ({ calledUser }) => calledUser === '+4930111333',
    'the customer’s phone to ring',
    20_000,
  );
  expect(rung.fromUser).toBe(NUMBER);
});

/** Runs every block of a document that is marked "run", one after another in one shell. */
async function runBlocks(document: string, last: string, env: Record<string, string>): Promise<{ stdout: string }> {
  const blocks = [...(await readFile(document, 'utf8')).matchAll(/^```sh run\n([^]*?)^```$/gm)].map(([, text]) => text);
  expect(blocks.length).toBeGreaterThan(0);
  const script = ['set -euo pipefail', ...blocks, last].join('\n');
  return new Promise((resolve, reject) => {
    execFile(
      'bash',
      ['--norc', '-c', script],
      { env: { PATH: process.env['PATH'], ...env }, timeout: SCRIPT_TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024 },
      (error, printed, complaint) => {
        if (error) reject(new Error(`${error.message}\n${printed}\n${complaint}`));
        else resolve({ stdout: printed });
      },
    );
  });
}

/** A folder with the command `asterisk`, which talks to the lab's as it does to an installed one. */
async function folderWithAsteriskCommand(): Promise<string> {
  const commandLine = (await readFile(`/proc/${lab.asterisk.pid}/cmdline`, 'utf8')).split('\0').filter(Boolean);
  expect(commandLine.at(-1)).toBe('-f');
  const folder = join(lab.dir, 'bin');
  await mkdir(folder);
  const words = commandLine.slice(0, -1).map((word) => `'${word}'`);
  await writeFile(join(folder, 'asterisk'), `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`);
  await chmod(join(folder, 'asterisk'), 0o755);
  return folder;
}
