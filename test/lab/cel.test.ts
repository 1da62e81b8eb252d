import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { foundCompany, type Company } from '../../lab/company.js';
import { keepProcess, type KeptProcess } from '../../lab/kept-process.js';
import { disagreements } from '../../lab/record-oracle.js';
import { compiledFolder, startRingline, type LabRingline } from '../../lab/ringline.js';
import type { SipCall } from '../../lab/sip-trace.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { storedEvents } from '../../lab/stored-events.js';
import { waitFor } from '../../lab/wait-for.js';
import { parseCelLine } from '../../src/asterisk/cel/cel-line.js';
import type { Call } from '../../src/calls/domain/call.js';

const TALK_MS = 5_000;

let lab: Lab;
beforeAll(async () => {
  lab = await startLab();
});
afterAll(() => lab?.stop());

/** Ringline with a company, and its log by the way that is asked for. */
type Followed = { readonly ringline: LabRingline; readonly company: Company; readonly stop: () => Promise<void> };

async function follow(by: 'its file' | 'the shipper'): Promise<Followed> {
  const ringline = await startRingline(lab, { name: by.replace(' ', '-') });
  // The log is one for all: each has a number of its own.
  const number = by === 'its file' ? '+4930901820' : '+4930901821';
  const company = await foundCompany(lab, ringline, { number, readsCel: by === 'its file' });
  const shipper = by === 'the shipper' ? await ship(ringline, company) : null;
  return {
    ringline,
    company,
    stop: async () => {
      await shipper?.stop();
      await ringline.stop();
    },
  };
}

async function ship(ringline: LabRingline, { nodeId }: Company): Promise<KeptProcess> {
  const body = { name: 'pbx', scopes: ['cel:write'], pbxNodeId: nodeId };
  const key = await ringline.call('POST', '/v1/api-keys', { body });
  const [keyFile, logFile] = [join(lab.dir, 'cel-key'), join(lab.dir, 'ship-cel.log')];
  await writeFile(keyFile, `${key.body.secret as string}\n`, { mode: 0o600 });
  const options = { file: lab.asterisk.celFile, url: ringline.url, node: nodeId, 'key-file': keyFile };
  const args = Object.entries({ ...options, state: join(lab.dir, 'ship-cel.json') }).flatMap(([name, value]) => [
    `--${name}`,
    value,
  ]);
  const script = join(await compiledFolder(), 'src/asterisk/cel/ship-cel.js');
  return keepProcess(process.execPath, [script, ...args], { logFile, aliveFile: '-', graceSeconds: 5 });
}

async function records({ company }: Followed): Promise<Call[]> {
  return (await company.call('GET', '/v1/calls?limit=200')).body.items as Call[];
}

/** The records that are wanted, once they are over and nothing of them is inferred. */
function exactRecords(followed: Followed, count: number): Promise<Call[]> {
  return waitFor(
    async () => {
      const found = await records(followed);
      return found.length === count && found.every(({ endedAt, estimated }) => endedAt !== null && !estimated) && found;
    },
    { what: `${count} exact records`, timeoutMs: 30_000, everyMs: 200 },
  );
}

function talking(followed: Followed): Promise<Call> {
  return waitFor(async () => (await records(followed)).find(({ status }) => status === 'answered'), {
    what: 'the parties to talk',
    timeoutMs: 20_000,
  });
}

/** The phones' and Asterisk's own word against the record's. SIP Call-IDs and rings stand in no log. */
async function expectTrue(record: Call, remote: SipCall, agents: readonly SipCall[]): Promise<void> {
  const said = disagreements(record, { cel: await lab.asterisk.cel(), remote, agents });
  expect(said.filter((line) => record.sipCallIds.length > 0 || !line.includes('SIP Call-ID'))).toEqual([]);
}

/** What was published of a call, in order. */
async function eventsOf({ ringline }: Followed, { id }: Call): Promise<string> {
  return (await storedEvents(ringline.databaseUrl, id)).map(({ type }) => type.replace('call.', '')).join(' ');
}

describe.each(['its file', 'the shipper'] as const)('with the log of Asterisk, by %s', (by) => {
  let followed: Followed;
  beforeAll(async () => {
    followed = await follow(by);
  });
  afterAll(() => followed?.stop());

  it.each(['remote', 'agent'] as const)(
    'a call whose end (by %s) Ringline did not live to see has its exact times, and nothing is estimated',
    async (first) => {
      const { ringline, company } = followed;
      const before = (await records(followed)).length;
      const phone = await lab.sipp.phone({
        register: ['agent1'],
        ringMs: 300,
        media: 'none',
        ...(first === 'agent' && { talkMs: TALK_MS }),
      });
      const caller = await lab.sipp.caller({
        calls: [{ from: '+4930111222', to: company.did }],
        media: 'none',
        ...(first === 'remote' && { talkMs: TALK_MS }),
      });
      const { id } = await talking(followed);
      await ringline.kill();
      await caller.done;
      await ringline.start();
      await ringline.ready();
      const record = (await exactRecords(followed, before + 1)).find((one) => one.id === id) as Call;
      expect(record).toMatchObject({ outcome: 'answered', talkSeconds: TALK_MS / 1000, hangup: { by: first } });
      const gap =
        /^Ringline did not hear from the PBX for \S+ s; what happened in between is taken from Asterisk’s log/;
      await waitFor(
        async () => {
          const { items } = (await company.call('GET', `/v1/calls/${id}/timeline`)).body;
          return (items as { text: string }[]).some(({ text }) => gap.test(text));
        },
        { what: 'the gap in the timeline' },
      );
      const metrics = await (await fetch(ringline.metricsUrl)).text();
      expect(metrics).toContain('ringline_gaps_total{kind="not-heard"} 1');
      const [remote] = await caller.calls();
      await expectTrue(record, remote as SipCall, await phone.calls());
      // Where the log comes later than a look at the switch, it puts right what that made of the end.
      expect(await eventsOf(followed, record)).toMatch(/^started ringing answered ended( updated)*$/);
      await phone.stop();
    },
  );

  it('a call that Ringline followed stays as it was published: events are first, and know more', async () => {
    const { ringline, company } = followed;
    const before = (await records(followed)).length;
    const phone = await lab.sipp.phone({ register: ['agent1'], ringMs: 200, refuse: '486 Busy Here', media: 'none' });
    const caller = await lab.sipp.caller({
      calls: [{ from: '+4930111222', to: company.did }],
      media: 'none',
      talkMs: 300,
    });
    await caller.done;
    const [published] = (await exactRecords(followed, before + 1)).toSorted((a, b) =>
      a.startedAt < b.startedAt ? 1 : -1,
    );
    expect(published).toMatchObject({
      direction: 'inbound',
      from: { e164: '+4930111222' },
      to: { raw: company.did },
      outcome: 'missed',
      outcomeReason: 'agent-busy',
      participants: [{ agentId: company.agentIds[0], device: 'PJSIP/agent1', role: 'rang', talkSeconds: 0 }],
    });
    expect(published?.legs.find(({ side }) => side === 'agent')).toMatchObject({ sip: 486, q850: 17 });
    const database = new pg.Client({ connectionString: ringline.databaseUrl });
    await database.connect();
    try {
      await waitFor(
        async () => {
          const { rows } = await database.query<{ source: string }>(
            `select source from call_fact join call_leg using (pbx_node_id, boot, leg) where call_id = $1 and kind = 'ended'`,
            [published?.id],
          );
          return rows.filter(({ source }) => source === 'cel').length === 2;
        },
        { what: 'the log to have told of both ends', timeoutMs: 20_000 },
      );
    } finally {
      await database.end();
    }
    expect((await records(followed)).find(({ id }) => id === published?.id)).toEqual(published);
    const [remote] = await caller.calls();
    await expectTrue(published as Call, remote as SipCall, await phone.calls());
    // Back in the dial plan it is queued again; that its legs ended twice is told nobody.
    expect(await eventsOf(followed, published as Call)).toBe('started ringing updated ended');
    await phone.stop();
  });

  it('calls that came and went while Ringline was down have their records, whole and exact', async () => {
    const { ringline, company } = followed;
    const before = await records(followed);
    await ringline.kill();
    const callers = await lab.sipp.caller({
      calls: ['+4930111301', '+4930111302', '+4930111303'].map((from) => ({ from, to: company.did })),
      rate: 5,
      media: 'none',
      talkMs: 1_500,
    });
    const nobodys = await lab.sipp.caller({
      calls: [{ from: '+4930111304', to: '4930999999' }],
      media: 'none',
      talkMs: 300,
    });
    await Promise.all([callers.done, nobodys.done]);
    await ringline.start();
    await ringline.ready();
    const found = (await exactRecords(followed, before.length + 3)).filter(
      (record) => !before.some(({ id }) => id === record.id),
    );
    for (const sipCall of await callers.calls()) {
      const record = found.find(({ from }) => from.e164 === sipCall.fromUser);
      expect(record).toMatchObject({ outcome: 'missed', outcomeReason: 'handed-back', hangup: { by: 'remote' } });
      const started = Math.abs(Date.parse(record?.startedAt ?? '') - sipCall.inviteAt);
      const ended = Math.abs(Date.parse(record?.endedAt ?? '') - (sipCall.byeAt ?? 0));
      expect(Math.max(started, ended)).toBeLessThan(1_000);
    }
    const events = await Promise.all(
      found.map(async ({ id }) => (await company.call('GET', `/v1/calls/${id}`)).body.version as number),
    );
    // Begun and ended, and nothing to take back.
    expect(events).toEqual([2, 2, 2]);
  });
});

describe('the mappings', () => {
  it('of the log write the same on a real Asterisk: for 22.10, for 16, and as JSON', async () => {
    const folder = dirname(lab.asterisk.celFile);
    const etc = join(folder, '../../etc');
    const shipped = await readFile(join(etc, 'ringline/cel_custom-16.conf'), 'utf8');
    const legacy = shipped.replaceAll('ringline.csv', 'old.csv');
    const fields = /^fields=.*$/m.exec(await readFile(join(etc, 'ringline/cel_custom.conf'), 'utf8'))?.[0];
    const json = `[new.json]\nformat=json\n${fields}\n`;
    await appendFile(join(etc, 'cel_custom.conf'), `\n${legacy}\n${json}`);
    await lab.asterisk.restart();
    const caller = await lab.sipp.caller({
      calls: [{ from: '+4930111222', to: '4930901820' }],
      media: 'none',
      talkMs: 300,
    });
    await caller.done;
    const linesOf = async (name: string): Promise<string[]> =>
      (await readFile(join(folder, name), 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
    const old = await waitFor(
      async () => {
        const lines = await linesOf('old.csv');
        return lines.some((line) => line.startsWith('"CHAN_END"')) && lines;
      },
      { what: 'the log of a call', timeoutMs: 20_000 },
    );
    expect((await linesOf('ringline.csv')).slice(-old.length)).toEqual(old);
    const parsed = old.map(parseCelLine);
    expect(parsed).not.toContain(null);
    expect((await linesOf('new.json')).map(parseCelLine)).toEqual(parsed);
  });
});
