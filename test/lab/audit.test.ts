import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connected, foundCompany, type Company } from '../../lab/company.js';
import { compiledFolder, startRingline, type LabRingline } from '../../lab/ringline.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';

let lab: Lab;
let ringline: LabRingline;
let company: Company;
const before = Date.now();
const CALLERS = ['+4930111401', '+4930111402', '+4930111403', '+4930111404'];

beforeAll(async () => {
  lab = await startLab();
  ringline = await startRingline(lab);
  company = await foundCompany(lab, ringline, { readsCel: true });
  const phone = await lab.sipp.phone({ register: ['agent1'], ringMs: 100, media: 'none' });
  for (const from of CALLERS) {
    const caller = await lab.sipp.caller({ calls: [{ from, to: company.did }], media: 'none', talkMs: 1_200 });
    await caller.done;
  }
  await phone.stop();
  await waitFor(async () => (await records()).filter(isExact).length === CALLERS.length, { what: 'exact records' });
});
afterAll(async () => {
  await ringline?.stop();
  await lab?.stop();
});

function isExact({ outcome, endedAt, estimated }: Call): boolean {
  return outcome === 'answered' && endedAt !== null && !estimated;
}

/** By who called. */
async function records(): Promise<Call[]> {
  const items = (await company.call('GET', '/v1/calls?limit=200')).body.items as Call[];
  return items.toSorted((a, b) => (a.from.raw < b.from.raw ? -1 : 1));
}

type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** The command, as the operator of this Ringline runs it. */
async function audit(...args: readonly string[]): Promise<Ran> {
  const { hostname, port } = new URL(ringline.url);
  const env = {
    PATH: process.env['PATH'] ?? '',
    DATABASE_URL: ringline.databaseUrl,
    BOOTSTRAP_API_KEY: ringline.apiKey,
    HOST: hostname,
    PORT: port,
  };
  const script = join(await compiledFolder(), 'src/asterisk/audit/audit.js');
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, [script, ...args], { env, cwd: lab.dir })) };
  } catch (error) {
    return error as Ran & Error;
  }
}

function during(): string[] {
  return ['--from', new Date(before).toISOString(), '--to', new Date(Date.now() + 60_000).toISOString()];
}

type Found = { callId: string | null; from: string; differences: { kind: string; field: string }[] };
type Document = {
  audits: { conversations: number; notOurs: number; differences: Found[]; repaired: Found[] | null }[];
};

function kindsOf(found: readonly Found[] | null): Record<string, string[]> {
  return Object.fromEntries(
    (found ?? []).map(({ from, differences }) => [from, [...new Set(differences.map(({ kind }) => kind))]]),
  );
}

/** What people see of a call, but for what a log does not tell: rings and SIP. */
function essence({ direction, status, outcome, outcomeReason, from, line, hangup, estimated, ...call }: Call) {
  const { startedAt, answeredAt, endedAt, talkSeconds, durationSeconds, participants } = call;
  const who = participants.map(({ agentId, role }) => [agentId, role]);
  const times = { startedAt, answeredAt, endedAt, talkSeconds, durationSeconds };
  return { direction, status, outcome, outcomeReason, from, line, by: hangup?.by, estimated, who, ...times };
}

describe('the records, compared with Asterisk’s log', () => {
  it('are the same where nothing happened to them', async () => {
    const { code, stdout } = await audit(...during());
    expect(stdout).toContain('4 conversations of the log are calls of yours: 4 agree with their records, 0 differ.');
    expect(code).toBe(0);
  });

  it('are found damaged, and repaired until nothing differs', async () => {
    const whole = await records();
    const [removed, open, late, left] = whole as [Call, Call, Call, Call];
    await ringline.stop();
    await rotate();
    await damage(removed, open, late);

    const [found, told, refused] = await Promise.all([
      audit(...during(), '--json'),
      audit(...during()),
      audit(...during(), '--repair', '--url', 'http://127.0.0.1:1'),
    ]);
    expect(found.code).toBe(1);
    const [first] = (JSON.parse(found.stdout) as Document).audits;
    expect(first).toMatchObject({ conversations: 4, notOurs: 0, repaired: null });
    expect(kindsOf(first?.differences ?? [])).toEqual({
      [removed.from.raw]: ['missing'],
      [open.from.raw]: ['open'],
      [late.from.raw]: ['times'],
    });
    expect(first?.differences.map(({ callId }) => callId)).toEqual([null, open.id, late.id]);
    expect(told.stdout).toMatch(/3 differ \(1 missing, 1 still open, 1 of other times\)/);
    expect(told.stdout).toMatch(/Run it again with --repair/);

    expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(/Ringline did not take the log: /) });

    await ringline.start();
    await ringline.ready();
    await connected(ringline, company.nodeId);
    const repaired = await audit(...during(), '--repair', '--json');
    expect(repaired, repaired.stdout).toMatchObject({ code: 0 });
    const [second] = (JSON.parse(repaired.stdout) as Document).audits;
    expect(second?.differences).toEqual([]);
    expect(Object.keys(kindsOf(second?.repaired ?? []))).toEqual([removed, open, late].map(({ from }) => from.raw));
    const again = await audit(...during());
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('4 agree with their records, 0 differ.') });

    const now = await records();
    expect(now).toHaveLength(4);
    expect(now.map(({ id }) => id).slice(1)).toEqual([open.id, late.id, left.id]);
    // The log has the time at which a caller came to be to the ms; what is within a second is left as it was told.
    for (const [i, record] of now.entries()) {
      const { startedAt, answeredAt, endedAt, talkSeconds, durationSeconds, ...rest } = essence(record);
      const was = essence(whole[i] as Call);
      expect(was).toMatchObject(rest);
      for (const [one, other] of [
        [startedAt, was.startedAt],
        [answeredAt, was.answeredAt],
        [endedAt, was.endedAt],
      ])
        expect(Math.abs(Date.parse(one ?? '') - Date.parse(other ?? ''))).toBeLessThan(1_000);
      expect(Math.abs(talkSeconds - was.talkSeconds)).toBeLessThanOrEqual(1);
      expect(Math.abs(durationSeconds - was.durationSeconds)).toBeLessThanOrEqual(1);
    }
    expect(now[3]).toEqual(left);
  }, 180_000);

  it('are not compared when it is asked for so that it cannot be done, and it says why', async () => {
    const [day, next] = ['2026-11-24T00:00:00Z', '2026-11-25T00:00:00Z'];
    const wrong: [args: string[], why: RegExp][] = [
      [['--from', '2026-11-24', '--to', next], /--from 2026-11-24 is no time with its zone/],
      [['--from', day], /--from and --to are needed/],
      [['--from', day, '--to', day], /--from is not before --to/],
      [['--from', day, '--to', next, '--file', 'x'], /--file needs --node/],
      [['--from', day, '--to', next, '--node', 'x'], /There is no PBX node x. There are: \S+ \(lab\)/],
    ];
    const ran = await Promise.all(wrong.map(([args]) => audit(...args)));
    expect(ran.map(({ code }) => code)).toEqual(wrong.map(() => 2));
    for (const [i, [, why]] of wrong.entries()) expect(ran[i]?.stderr).toMatch(why);
  });
});

/** As logrotate does. */
async function rotate(): Promise<void> {
  const { celFile } = lab.asterisk;
  await writeFile(`${celFile}.1.gz`, await promisify(gzip)(await readFile(celFile)));
  await rm(celFile);
}

/** One record is gone, one was never closed, one has a time that is not so. */
async function damage(removed: Call, open: Call, late: Call): Promise<void> {
  const client = new pg.Client(ringline.databaseUrl);
  await client.connect();
  try {
    await client.query('delete from call where id = $1', [removed.id]);
    await client.query(
      `delete from call_fact f using call_leg l where l.call_id = $1 and (f.pbx_node_id, f.boot, f.leg) = (l.pbx_node_id, l.boot, l.leg)
          and f.kind in ('hangup-asked', 'cause', 'parted', 'left-control', 'ended', 'released')`,
      [open.id],
    );
    const unfinished = { status: 'answered', outcome: null, outcomeReason: null, endedAt: null, hangup: null };
    await client.query(
      `update call set status = 'answered', outcome = null, ended_at = null, document = document || $2 where id = $1`,
      [open.id, unfinished],
    );
    const answeredAt = new Date(Date.parse(late.answeredAt ?? '') - 60_000).toISOString();
    await client.query('update call set document = document || $2 where id = $1', [late.id, { answeredAt }]);
  } finally {
    await client.end();
  }
}
