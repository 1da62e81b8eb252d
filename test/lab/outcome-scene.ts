import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import { foundCompany, type Company } from '../../lab/company.js';
import { startRingline, type LabRingline } from '../../lab/ringline.js';
import type { SipCall } from '../../lab/sip-trace.js';
import type { Caller, Media, Phone } from '../../lab/sipp.js';
import { register } from '../../lab/sip-register.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';
import type { CallEvent } from '../../src/calls/domain/call-event.js';
import type { MobileActs, OutcomeRow, PhoneActs } from './outcome-table.js';

/** Longer than anything that is waited for takes on a busy machine, ms. */
const PATIENCE_MS = 30_000;
const AGENTS_A_SEAT = 3;

/** One Asterisk and one Ringline for all rows; each row has a company of its own, and a seat: phones and a carrier. */
export type Scene = {
  readonly lab: Lab;
  readonly ringline: LabRingline;
  readonly nodeId: string;
  /** Where the service records what Asterisk sends. */
  readonly streams: string;
  readonly database: pg.Client;
  readonly freeSeats: number[];
  stop(): Promise<void>;
};

export async function setScene(): Promise<Scene> {
  const lab = await startLab();
  try {
    const streams = join(lab.dir, 'streams');
    const ringline = await startRingline(lab, { env: { RECORD_ARI: streams } });
    const { nodeId } = await foundCompany(lab, ringline, { agents: [60] });
    const database = new pg.Client({ connectionString: ringline.databaseUrl });
    await database.connect();
    return {
      lab,
      ringline,
      nodeId,
      streams,
      database,
      freeSeats: [0, 1, 2, 3, 4, 5, 6, 7],
      stop: async () => {
        await database.end();
        await ringline.stop();
        await lab.stop();
      },
    };
  } catch (error) {
    await lab.stop();
    throw error;
  }
}

/** The phones and the company of one row. */
export class Stage {
  readonly callerNumber: string;
  readonly customerNumber: string;
  readonly mobileNumber: string;
  /** Phones of each agent. */
  readonly phones: Phone[][] = [];
  /** What the trunk leads to: the customer, and the first agent's mobile phone. */
  carrier: Phone | null = null;
  #callers: Caller[] = [];

  private constructor(
    readonly scene: Scene,
    readonly row: OutcomeRow,
    readonly company: Company,
    readonly seat: number,
    index: number,
  ) {
    this.callerNumber = (row.direction === 'incoming' ? row.caller?.from : undefined) ?? filmNumber(300 + index);
    this.customerNumber = filmNumber(600 + index);
    this.mobileNumber = `+49171392000${seat}`;
  }

  static async set(scene: Scene, row: OutcomeRow, index: number): Promise<Stage> {
    const seat = scene.freeSeats.shift();
    if (seat === undefined) throw new Error('more rows run side by side than there are seats');
    const { lab, ringline, nodeId } = scene;
    const company = await foundCompany(lab, ringline, {
      nodeId,
      agents: row.agents.map((_, i) => seat * AGENTS_A_SEAT + i + 1),
      number: filmNumber(index),
      trunk:
        row.direction === 'incoming'
          ? row.mobile === undefined
            ? null
            : `carrier${seat + 1}`
          : typeof row.customer === 'string'
            ? trunks[row.customer]
            : `carrier${seat + 1}`,
      ...(row.direction === 'incoming' && row.ringSeconds !== undefined && { ringSeconds: row.ringSeconds }),
      ...(row.direction !== 'incoming' && row.autoAnswer !== undefined && { autoAnswer: row.autoAnswer }),
    });
    const stage = new Stage(scene, row, company, seat, index);
    if (row.direction === 'incoming' && row.setting === 'no-devices') await stage.#takeDevices();
    if (row.mobile !== undefined) await stage.#addMobile(row.mobile);
    if (row.blocks !== undefined) await stage.#block(row.blocks);
    await stage.#startPhones();
    return stage;
  }

  endpoint(agent: number): string {
    return `agent${this.seat * AGENTS_A_SEAT + agent + 1}`;
  }

  /** What a caller dials. */
  get did(): string {
    return this.row.direction === 'incoming' && this.row.setting === 'no-line' ? '4930231259' : this.company.did;
  }

  async #startPhones(): Promise<void> {
    const { row, seat } = this;
    const agents = row.agents.map(async (acts, agent) => {
      // One after another: which is rung first is the order in which they registered.
      const phones: Phone[] = [];
      for (const act of acts) {
        if (act.gone === true) await this.#registerNobody(this.endpoint(agent));
        else phones.push(await this.#phone(act, this.endpoint(agent), 'echo'));
      }
      this.phones[agent] = phones;
    });
    await Promise.all(agents);
    const customer = row.direction !== 'incoming' && typeof row.customer === 'object' ? row.customer : undefined;
    if (customer !== undefined || row.mobile !== undefined)
      this.carrier = await this.#phone({ ...customer, ...row.mobile }, `carrier${seat + 1}`, 'stream');
  }

  /** What the customer's phone saw, in the order of the calls. */
  async customerCalls(): Promise<SipCall[]> {
    return ((await this.carrier?.calls()) ?? []).filter(({ calledUser }) => calledUser !== this.mobileNumber);
  }

  /** What the phones of the agents saw. */
  async agentCalls(): Promise<SipCall[]> {
    const calls = await Promise.all(this.phones.flat().map((phone) => phone.calls()));
    const mobile = ((await this.carrier?.calls()) ?? []).filter(({ calledUser }) => calledUser === this.mobileNumber);
    return [...calls.flat(), ...mobile];
  }

  #phone(act: PhoneActs & MobileActs, user: string, media: Media): Promise<Phone> {
    const { provisional, ringMs = 300, refuse, talkMs, key } = act;
    const isMobile = this.row.mobile !== undefined && user.startsWith('carrier');
    const { sipp } = this.scene.lab;
    return sipp.phone({
      name: user,
      register: [user],
      ringMs,
      mediaCalls: 2,
      media: this.row.apiHangsUp === 'talking' ? media : 'none',
      ...(provisional !== undefined && { provisional }),
      ...(refuse !== undefined && { refuse }),
      ...(talkMs !== undefined && { talkMs }),
      ...(isMobile && { mobile: { number: this.mobileNumber, ...(key !== undefined && { key }) } }),
    });
  }

  async #addMobile({ confirm, isOnly }: MobileActs): Promise<void> {
    const mobile = { kind: 'number', number: this.mobileNumber, ...(confirm !== undefined && { confirm }) };
    const phone = { kind: 'sip', pbxNodeId: this.scene.nodeId, endpoint: this.endpoint(0) };
    const devices = isOnly === true ? [mobile] : [phone, mobile];
    await this.company.call('PATCH', `/v1/agents/${this.company.agentIds[0]}`, { body: { devices } });
  }

  async #registerNobody(user: string): Promise<void> {
    const { ports, asterisk } = this.scene.lab;
    this.#gone = { user, port: await ports.next() };
    await register({ sipPort: asterisk.sipPort, user, contactPort: this.#gone.port });
  }

  #gone: { readonly user: string; readonly port: number } | null = null;

  /** Calls the line; as somebody else, who stays on the line, where `from` is told. */
  async call({ from }: { readonly from?: string } = {}): Promise<Caller> {
    const acts = this.row.direction === 'incoming' && from === undefined ? this.row.caller : undefined;
    const caller = await this.scene.lab.sipp.caller({
      calls: [{ from: from ?? this.callerNumber, to: this.did }],
      mediaCalls: 1,
      media: this.row.apiHangsUp === 'talking' ? 'stream' : 'none',
      ...(acts?.giveUpMs !== undefined && { giveUpMs: acts.giveUpMs }),
      ...(acts?.talkMs !== undefined && { talkMs: acts.talkMs }),
    });
    this.#callers.push(caller);
    return caller;
  }

  click(): ReturnType<Company['call']> {
    return this.company.call('POST', '/v1/calls', {
      allow: true,
      headers: { 'idempotency-key': randomUUID() },
      body: {
        agentId: this.company.agentIds[0],
        to: this.customerNumber,
        ...(this.row.direction === 'customer-first' && { order: 'customer-first' }),
      },
    });
  }

  /** A call of the row's company that is as wanted, once there is one. */
  recorded(wanted: (call: Call) => boolean, what: string, timeoutMs = PATIENCE_MS): Promise<Call> {
    return waitFor(
      async () => {
        const { body } = await this.company.call('GET', '/v1/calls');
        return (body as { items: Call[] }).items.find(wanted);
      },
      { what, timeoutMs, everyMs: 100 },
    );
  }

  async isOpen(callId: string): Promise<boolean> {
    return ((await this.company.call('GET', `/v1/calls/${callId}`)).body as Call).status !== 'ended';
  }

  async hangUp(callId: string): Promise<void> {
    await this.company.call('POST', `/v1/calls/${callId}/hangup`);
  }

  /** Every event of a call as it was stored for consumers, oldest first. */
  async events(callId: string): Promise<CallEvent[]> {
    const { rows } = await this.scene.database.query<{ document: string }>(
      'select document from call_event where call_id = $1 order by sequence',
      [callId],
    );
    return rows.map(({ document }) => JSON.parse(document) as CallEvent);
  }

  /** All that is recorded of a call, to be read by a person. */
  async story(call: Call): Promise<string> {
    const { body } = await this.company.call('GET', `/v1/calls/${call.id}/timeline`);
    const { items } = body as { items: { at: string; text: string }[] };
    return [...items.map(({ at, text }) => `${at} ${text}`), JSON.stringify(call)].join('\n');
  }

  /** Waits until the switch has nothing of a call any more. */
  async nothingLeft(call: Call): Promise<void> {
    const legs = new Set(call.legs.map(({ id }) => id));
    await waitFor(
      async () => {
        const [channels, bridges] = await Promise.all([this.#ari('/channels'), this.#ari('/bridges')]);
        return [...channels, ...bridges].every(({ id }) => !legs.has(id) && !id.startsWith(`rl-${call.id}`));
      },
      { what: `Asterisk to have nothing of call ${call.id}`, timeoutMs: PATIENCE_MS, everyMs: 100 },
    );
  }

  /** Waits until sound came from, and went to, each party. */
  async soundBothWays(call: Call): Promise<void> {
    const up = call.legs.filter(({ answeredAt, endedAt }) => answeredAt !== null && endedAt === null);
    await waitFor(
      async () => {
        const counts = await Promise.all(up.map(({ id }) => this.#ari(`/channels/${id}/rtp_statistics`)));
        return counts.every((count) => {
          const { rxcount, txcount } = count as unknown as { rxcount: number; txcount: number };
          return rxcount > 30 && txcount > 30;
        });
      },
      { what: 'sound both ways', timeoutMs: PATIENCE_MS },
    );
  }

  async #ari(path: string): Promise<{ id: string }[]> {
    const { ariUrl, username, password } = this.scene.lab.asterisk;
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const response = await fetch(ariUrl + path, { headers: { authorization } });
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as { id: string }[];
  }

  async #takeDevices(): Promise<void> {
    for (const id of this.company.agentIds)
      await this.company.call('PATCH', `/v1/agents/${id}`, { body: { devices: [] } });
  }

  async #block(whom: NonNullable<OutcomeRow['blocks']>): Promise<void> {
    const number = this.row.direction === 'incoming' ? this.callerNumber : this.customerNumber;
    const pattern = { number, beginning: `${number.slice(0, -3)}*`, anonymous: 'anonymous' }[whom];
    await this.company.call('POST', '/v1/blocked-numbers', { body: { pattern } });
  }

  /** Frees the seat for another row. */
  async clear(): Promise<void> {
    await Promise.all([...this.phones.flat(), ...(this.carrier === null ? [] : [this.carrier])].map((p) => p.stop()));
    await Promise.all(this.#callers.map((caller) => caller.stop()));
    if (this.#gone !== null) {
      const { user, port } = this.#gone;
      await register({ sipPort: this.scene.lab.asterisk.sipPort, user, contactPort: port, expiresSeconds: 0 });
    }
    await this.#takeDevices();
    this.scene.freeSeats.push(this.seat);
  }
}

const trunks = { 'no-contact': 'trunk-empty', 'nobody-listens': 'trunk-down' } as const;

/** Numbers that the German regulator keeps free for films: a thousand, shared out among lines, callers and customers. */
function filmNumber(place: number): string {
  return `+493023125${String(place).padStart(3, '0')}`;
}
