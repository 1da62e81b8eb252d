import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { CallReport } from '../../lab/demo/call-report.js';
import type { CrmReport } from '../../lab/demo/crm-record.js';
import { isRunning, openListeners, processTree, socketsOf, type SeenProcess } from '../../lab/process-tree.js';
import { projectRoot } from '../../lab/project-root.js';
import { waitFor } from '../../lab/wait-for.js';

const RUN_MS = 150_000;
/** What the demo started ends by itself when the demo is gone, each part within its own grace. */
const GONE_MS = 40_000;

/** The command as a person starts it, and everything that it starts. */
class Demo {
  stdout = '';
  stderr = '';
  readonly exited: Promise<number>;
  readonly #child: ChildProcess;
  readonly #seen = new Map<string, SeenProcess>();
  readonly #sockets = new Set<string>();
  #isOver = false;

  constructor(args: readonly string[], temporaryFolder: string) {
    this.#child = spawn(process.execPath, [join(projectRoot, 'scripts/demo.mjs'), ...args], {
      cwd: projectRoot,
      env: { ...process.env, TMPDIR: temporaryFolder },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.on('data', (text) => (this.stdout += String(text)));
    this.#child.stderr?.on('data', (text) => (this.stderr += String(text)));
    this.exited = new Promise((resolve) => {
      this.#child.once('close', (code) => {
        this.#isOver = true;
        resolve(code ?? -1);
      });
    });
  }

  /** Waits until it said so; remembers meanwhile every process and socket that it has. */
  async says(text: string): Promise<void> {
    await waitFor(
      async () => {
        await this.look();
        if (this.#isOver) throw new Error(`it ended before it said "${text}":\n${this.stderr}`);
        return this.stderr.includes(text);
      },
      { what: `the demo to say "${text}"`, timeoutMs: RUN_MS, everyMs: 50 },
    );
    await this.look();
  }

  async look(): Promise<void> {
    for (const process of await processTree(this.#child.pid ?? -1)) {
      this.#seen.set(`${process.pid} ${process.startedAt}`, process);
      for (const socket of await socketsOf(process.pid)) this.#sockets.add(socket);
    }
  }

  get processes(): number {
    return this.#seen.size;
  }

  get sockets(): number {
    return this.#sockets.size;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Processes that still run and sockets that still listen. */
  async leftovers(): Promise<string[]> {
    const running: string[] = [];
    for (const process of this.#seen.values()) if (await isRunning(process)) running.push(process.command);
    const listening = [...(await openListeners())].flatMap(([inode, where]) =>
      this.#sockets.has(inode) ? [where] : [],
    );
    return [...running, ...listening];
  }
}

let temporaryFolder: string;
let demo: Demo | undefined;
beforeEach(async () => {
  // Short: a control socket of Asterisk lies below it.
  temporaryFolder = await mkdtemp('/tmp/rl-demo-');
});
afterEach(async () => {
  demo?.signal('SIGKILL');
  await rm(temporaryFolder, { recursive: true, force: true });
});

async function expectNothingLeft(): Promise<void> {
  const left = async () => [...((await demo?.leftovers()) ?? []), ...(await readdir(temporaryFolder))];
  await waitFor(async () => (await left()).length === 0, {
    what: 'everything to be gone',
    timeoutMs: GONE_MS,
    everyMs: 100,
  }).catch(() => undefined);
  expect(await left()).toEqual([]);
}

it(
  '--once places both calls, finds that everything holds, and prints one document',
  async () => {
    demo = new Demo(['--once'], temporaryFolder);
    await demo.says('incoming call');
    const code = await demo.exited;
    expect(code, demo.stderr).toBe(0);

    const document = JSON.parse(demo.stdout) as {
      ok: boolean;
      seconds: number;
      versions: Record<string, string>;
      calls: CallReport[];
    };
    expect(document).toMatchObject({ ok: true, versions: { node: process.versions.node } });
    expect(Object.keys(document.versions).sort()).toEqual(['asterisk', 'node', 'postgres', 'redis']);
    expect(document.calls.map(({ scenario }) => scenario)).toEqual(['click-to-call', 'incoming']);
    for (const { call, events, rtpPackets } of document.calls) {
      expect(call).toMatchObject({ status: 'ended', outcome: 'answered', talkSeconds: 3 });
      expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
      expect(events.every(({ signatureValid }) => signatureValid)).toBe(true);
      expect(rtpPackets.fromAgent).toBeGreaterThan(0);
      expect(rtpPackets.fromCustomer).toBeGreaterThan(0);
    }
    expect(document.calls[0]?.popBeforeInviteMs).toBeNull();
    expect(document.calls[1]?.popBeforeInviteMs).toBeGreaterThan(0);
    await expectNothingLeft();
  },
  RUN_MS + GONE_MS,
);

it(
  '--crm shows both calls in that CRM: its click and pop, one object each, of the right person, with its recording',
  async () => {
    demo = new Demo(['--once', '--crm', 'bitrix24'], temporaryFolder);
    await demo.says('Bitrix24 showed the pop');
    expect(await demo.exited, demo.stderr).toBe(0);
    expect(demo.stderr).toContain('in Bitrix24, which sends its own request');
    const { ok, crm, calls } = JSON.parse(demo.stdout) as {
      ok: boolean;
      crm: { adapter: string; calls: CrmReport[] };
      calls: CallReport[];
    };
    expect(ok).toBe(true);
    expect(crm.adapter).toBe('bitrix24');
    expect(crm.calls.map(({ callId }) => callId)).toEqual(calls.map(({ call }) => call.id));
    expect(crm.calls).toMatchObject([
      { direction: 'outbound', seconds: 3, popBeforeAnswerMs: null },
      { direction: 'inbound', seconds: 3, popBeforeAnswerMs: expect.any(Number) },
    ]);
    for (const { recordingBytes } of crm.calls) expect(recordingBytes).toBeGreaterThan(40_000);
    expect(crm.calls[1]?.popBeforeAnswerMs).toBeGreaterThan(0);
    await expectNothingLeft();
  },
  RUN_MS + GONE_MS,
);

it('--crm with a name that is none lists those there are, and starts nothing', async () => {
  demo = new Demo(['--once', '--crm', 'sugar'], temporaryFolder);
  expect(await demo.exited).toBe(1);
  expect(demo.stdout).toBe('');
  expect(demo.stderr.trim()).toMatch(/^There is no CRM sugar\. Those there are: amocrm, bitrix24, /);
  expect(await readdir(temporaryFolder)).toEqual([]);
});

it.each([
  { stage: 'the start of Asterisk', when: 'starting a real Asterisk', signal: 'SIGINT', code: 130 },
  { stage: 'the start of Ringline', when: 'are up', signal: 'SIGTERM', code: 130 },
  { stage: 'a call', when: 'incoming call', signal: 'SIGINT', code: 130 },
] as const)(
  'interrupted by $signal during $stage it leaves no process, socket or file',
  async ({ when, signal, code }) => {
    demo = new Demo(['--once'], temporaryFolder);
    await demo.says(when);
    demo.signal(signal);
    expect(await demo.exited).toBe(code);
    expect(demo.stdout).toBe('');
    await expectNothingLeft();
  },
  RUN_MS + GONE_MS,
);

it(
  'killed during a call, or interrupted again while it stops, it leaves nothing either',
  async () => {
    demo = new Demo([], temporaryFolder);
    await demo.says('click-to-call');
    demo.signal('SIGKILL');
    await demo.exited;
    expect(demo.processes).toBeGreaterThan(5);
    expect(demo.sockets).toBeGreaterThan(5);
    await expectNothingLeft();

    demo = new Demo([], temporaryFolder);
    await demo.says('click-to-call');
    demo.signal('SIGINT');
    await demo.says('stopping');
    demo.signal('SIGINT');
    expect(await demo.exited).toBe(130);
    await expectNothingLeft();
  },
  2 * (RUN_MS + GONE_MS),
);
