import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { celCalls, type CelCall } from '../../lab/cel.js';
import { header } from '../../lab/sip-trace.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';

let lab: Lab;

beforeAll(async () => {
  lab = await startLab({ postgres: false, redis: false });
});

afterAll(() => lab?.stop());

/** The CEL record of the call that this number made, once it is over. */
function celOf(ofLab: Lab, callerNumber: string): Promise<CelCall> {
  return waitFor(
    async () =>
      celCalls(await ofLab.asterisk.cel()).find(
        (call) => call.endedAt !== undefined && call.channels[0]?.callerNumber === callerNumber,
      ),
    { what: `the CEL record of ${callerNumber}` },
  );
}

async function ari<T>(ofLab: Lab, path: string): Promise<T> {
  const { ariUrl, username, password } = ofLab.asterisk;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const response = await fetch(`${ariUrl}${path}`, { headers: { authorization } });
  if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

/** Connects as the control app and, like a process that hangs, does nothing with what it hears. */
async function silentApp(ofLab: Lab): Promise<{ heard: string[]; close(): void }> {
  const { ariUrl, username, password } = ofLab.asterisk;
  const socket = new WebSocket(
    `${ariUrl.replace('http', 'ws')}/events?app=ringline&api_key=${username}:${encodeURIComponent(password)}`,
  );
  const heard: string[] = [];
  socket.on('message', (data: Buffer) => heard.push((JSON.parse(data.toString()) as { type: string }).type));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  await waitFor(async () => (await ari<unknown[]>(ofLab, '/applications')).length > 0, { what: 'the app to be known' });
  return { heard, close: () => socket.close() };
}

describe('a call from phone to phone through our Asterisk', () => {
  it('carries sound both ways, and CEL tells the same as the phones', async () => {
    const phone = await lab.sipp.phone({ register: ['agent1'], ringMs: 500 });
    const caller = await lab.sipp.caller({ calls: [{ from: '+31612345601', to: 'direct-agent1' }], talkMs: 2_000 });

    interface Statistics {
      readonly rxcount: number;
      readonly txcount: number;
    }
    const channels = await waitFor(
      async () => {
        const up = (await ari<Array<{ id: string; state: string }>>(lab, '/channels')).filter(
          (one) => one.state === 'Up',
        );
        return up.length === 2 && up;
      },
      { what: 'both channels to be up' },
    );
    const counters = () =>
      Promise.all(channels.map(({ id }) => ari<Statistics>(lab, `/channels/${id}/rtp_statistics`)));
    const first = await waitFor(
      async () => {
        const now = await counters();
        return now.every(({ rxcount, txcount }) => rxcount > 5 && txcount > 5) && now;
      },
      { what: 'RTP in all four directions', timeoutMs: 2_000 },
    );
    await waitFor(
      async () =>
        (await counters()).every(
          ({ rxcount, txcount }, index) =>
            rxcount > (first[index]?.rxcount ?? 0) + 20 && txcount > (first[index]?.txcount ?? 0) + 20,
        ),
      { what: 'the counters to rise', timeoutMs: 2_000 },
    );
    await caller.done;

    const [placed] = await caller.calls();
    const [taken] = await phone.calls();
    const cel = await celOf(lab, '+31612345601');
    expect(placed).toMatchObject({ invites: 1, finalStatus: 200, byeBy: 'us' });
    expect(taken).toMatchObject({ calledUser: 'agent1', fromUser: '+31612345601', finalStatus: 200, byeBy: 'them' });
    expect(cel.channels).toHaveLength(2);
    expect(cel.channels[0]).toMatchObject({ cause: 16, dialStatus: 'ANSWER', apps: ['from-trunk Dial'] });
    for (const [ours, theirs] of [
      [cel.startedAt, placed?.inviteAt],
      [cel.channels[1]?.startedAt, taken?.inviteAt],
      [cel.channels[1]?.answeredAt, taken?.answeredAt],
      [cel.channels[0]?.answeredAt, placed?.answeredAt],
      [cel.joinedAt, placed?.answeredAt],
      [cel.endedAt, placed?.byeAt],
    ]) {
      expect(Math.abs((ours ?? Number.NaN) - (theirs ?? Number.NaN))).toBeLessThan(1_000);
    }
    expect((taken?.answeredAt ?? 0) - (taken?.ringingAt ?? 0)).toBeGreaterThan(450);
    expect(placed?.talkMs).toBeGreaterThan(1_900);
    await phone.stop();
  });

  it('tells the caller that the phone is busy', async () => {
    const phone = await lab.sipp.phone({ register: ['agent2'], refuse: '486 Busy Here', ringMs: 100 });
    const caller = await lab.sipp.caller({ calls: [{ from: '+31612345602', to: 'direct-agent2' }] });
    await caller.done;
    expect((await caller.calls())[0]).toMatchObject({ finalStatus: 486, answeredAt: undefined });
    expect((await celOf(lab, '+31612345602')).channels[1]).toMatchObject({ cause: 17, answeredAt: undefined });
    await phone.stop();
  });

  it('takes the call from a phone whose caller gives up', async () => {
    const phone = await lab.sipp.phone({ register: ['agent3'], ringMs: 'forever' });
    const caller = await lab.sipp.caller({ calls: [{ from: '+31612345603', to: 'direct-agent3' }], giveUpMs: 700 });
    await caller.done;
    const [placed] = await caller.calls();
    expect(placed).toMatchObject({ finalStatus: 487, byeAt: undefined });
    expect((placed?.cancelAt ?? 0) - (placed?.inviteAt ?? 0)).toBeGreaterThan(650);
    expect(await phone.call((call) => call.cancelAt !== undefined, 'the CANCEL')).toMatchObject({
      calledUser: 'agent3',
      answeredAt: undefined,
    });
    await phone.stop();
  });

  it('passes sound before the answer', async () => {
    const phone = await lab.sipp.phone({
      register: ['agent4'],
      provisional: 183,
      ringMs: 1_500,
      refuse: '503 Service Unavailable',
      media: 'stream',
    });
    const caller = await lab.sipp.caller({ calls: [{ from: '+31612345604', to: 'direct-agent4' }] });
    await caller.call((call) => call.earlyMediaAt !== undefined, 'the 183');
    await waitFor(
      async () => {
        const channels = await ari<Array<{ id: string; name: string }>>(lab, '/channels');
        const trunk = channels.find(({ name }) => name.startsWith('PJSIP/trunk-'));
        return trunk && (await ari<{ txcount: number }>(lab, `/channels/${trunk.id}/rtp_statistics`)).txcount > 10;
      },
      { what: 'sound to the caller', timeoutMs: 1_400 },
    );
    await caller.done;
    expect((await caller.calls())[0]?.finalStatus).toBe(503);
    await phone.stop();
  });

  it('rings a phone that talks already, and hangs up from its side', async () => {
    const phone = await lab.sipp.phone({ register: ['agent5'], ringMs: 200, talkMs: 1_000 });
    const caller = await lab.sipp.caller({
      calls: ['+31612345605', '+31612345606'].map((from) => ({ from, to: 'direct-agent5' })),
      rate: 2,
    });
    await caller.done;
    const taken = await phone.calls();
    expect(taken.map(({ finalStatus, byeBy }) => ({ finalStatus, byeBy }))).toEqual([
      { finalStatus: 200, byeBy: 'us' },
      { finalStatus: 200, byeBy: 'us' },
    ]);
    // The second one began before the first was over.
    expect(taken[1]?.answeredAt).toBeLessThan(taken[0]?.byeAt ?? 0);
    await phone.stop();
  });

  it('finds no phone behind a name that signed off', async () => {
    const phone = await lab.sipp.phone({ register: ['agent6'] });
    await phone.unregister();
    const caller = await lab.sipp.caller({ calls: [{ from: '+31612345607', to: 'direct-agent6' }] });
    await caller.done;
    expect((await caller.calls())[0]?.finalStatus).toBe(404);
    expect(await phone.calls()).toEqual([]);
    await phone.stop();
  });

  it("leaves through the trunk when an agent dials by hand, and shows the agent's number", async () => {
    const carrier = await lab.sipp.phone({ name: 'carrier', port: lab.ports.trunk, ringMs: 100, talkMs: 300 });
    const agent = await lab.sipp.caller({ calls: [{ from: 'agent7', to: '+31201234567' }], trunk: false });
    await agent.done;
    const [taken] = await carrier.calls();
    expect(taken).toMatchObject({ calledUser: '+31201234567', fromUser: 'agent7', finalStatus: 200 });
    expect(header(taken!.messages[0]!, 'User-Agent')).toBe('Asterisk');
    await carrier.stop();
  });
});

describe("the admin's fall-back", () => {
  it('takes a call at once while no app is connected', async () => {
    const caller = await lab.sipp.caller({ calls: [{ from: '+31612345611', to: '31201234567' }] });
    await caller.done;
    const [call] = await caller.calls();
    expect((call?.answeredAt ?? Number.NaN) - (call?.inviteAt ?? 0)).toBeLessThan(1_000);
    expect((await celOf(lab, '+31612345611')).channels[0]?.apps).toContain('ringline-fallback Playback');
  });

  it('takes a call after eight seconds from an app that is connected and does nothing', async () => {
    const app = await silentApp(lab);
    const caller = await lab.sipp.caller({ calls: [{ from: '+31612345612', to: '31201234567' }] });
    await caller.done;
    const [call] = await caller.calls();
    const waited = (call?.answeredAt ?? Number.NaN) - (call?.inviteAt ?? 0);
    expect(waited).toBeGreaterThan(7_500);
    expect(waited).toBeLessThan(9_000);
    expect(app.heard).toContain('StasisStart');
    expect((await celOf(lab, '+31612345612')).channels[0]?.apps).toEqual([
      'from-trunk Stasis',
      'ringline-fallback Playback',
    ]);
    app.close();
  });
});

describe('the lab', () => {
  it('runs beside another one, and stops without a trace', async () => {
    const other = await startLab({ postgres: false, redis: false });
    try {
      expect(other.asterisk.ariUrl).not.toBe(lab.asterisk.ariUrl);
      const phones = await Promise.all([lab, other].map((one) => one.sipp.phone({ register: ['agent8'] })));
      const callers = await Promise.all(
        [lab, other].map((one, index) =>
          one.sipp.caller({ calls: [{ from: `+3161234562${index}`, to: 'direct-agent8' }], talkMs: 300 }),
        ),
      );
      await Promise.all(callers.map((caller) => caller.done));
      for (const [index, phone] of phones.entries()) {
        expect((await phone.calls()).map(({ fromUser }) => fromUser)).toEqual([`+3161234562${index}`]);
      }
    } finally {
      await other.stop();
    }
    expect(existsSync(other.dir)).toBe(false);
    expect(() => process.kill(other.asterisk.pid, 0)).toThrow('ESRCH');
    expect((await ari<{ system: { version: string } }>(lab, '/asterisk/info')).system.version).toContain(
      lab.asterisk.version,
    );
  });

  it('brings Asterisk back after kill -9, on the same ports, and phones can register again', async () => {
    const phone = await lab.sipp.phone({ register: ['agent9'] });
    const before = lab.asterisk.pid;
    await lab.asterisk.kill('SIGKILL');
    await lab.asterisk.restart();
    expect(lab.asterisk.pid).not.toBe(before);
    await phone.register();
    const caller = await lab.sipp.caller({ calls: [{ from: '+31612345631', to: 'direct-agent9' }], talkMs: 200 });
    await caller.done;
    expect((await phone.calls())[0]?.finalStatus).toBe(200);
    await phone.stop();
  });

  it('ends with its owner, also by kill -9, and leaves no folder', async () => {
    const compiled = (await promisify(execFile)(process.execPath, ['scripts/compile.mjs'])).stdout.trim();
    const owner = spawn(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        `const { startLab } = await import(${JSON.stringify(`${compiled}/lab/start-lab.js`)});
         const { dir, asterisk, postgres, redis } = await startLab({ postgres: 'own', redis: 'own' });
         console.log(JSON.stringify({ dir, pids: [asterisk.pid, postgres.pid, redis.pid] }));`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let said = '';
    owner.stdout.on('data', (data) => (said += String(data)));
    const { dir, pids } = await waitFor(
      () => said.includes('\n') && (JSON.parse(said) as { dir: string; pids: number[] }),
      {
        what: 'the lab of the other process',
        timeoutMs: 60_000,
      },
    );
    expect(pids.every((pid) => existsSync(`/proc/${pid}`))).toBe(true);
    owner.kill('SIGKILL');
    await waitFor(() => !pids.some((pid) => existsSync(`/proc/${pid}`)) && !existsSync(dir), {
      what: 'everything to be gone',
      timeoutMs: 15_000,
    });
  });

  it('gives a PostgreSQL and a Redis that can be copied, killed and started again', async () => {
    const other = await startLab({ asterisk: false, postgres: 'own', redis: 'own' });
    try {
      const { postgres, redis } = other;
      const template = await postgres.createDatabase();
      await query(template, 'create table numbers as select 7 as n');
      const copy = await postgres.createDatabase(template);
      expect(await query(copy, 'select n from numbers')).toEqual([{ n: 7 }]);
      await postgres.stop('kill');
      await expect(query(copy, 'select 1')).rejects.toThrow();
      await postgres.start();
      expect(await query(copy, 'select n from numbers')).toEqual([{ n: 7 }]);
      const before = redis.pid;
      await redis.kill();
      await redis.start();
      expect(redis.pid).not.toBe(before);
      expect(() => other.asterisk).toThrow('started without asterisk');
    } finally {
      await other.stop();
    }
  });
});

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rows as unknown[];
  } finally {
    await client.end();
  }
}
