import type { CrmSimulator } from '../../lab/crm/crm-simulator.js';
import { crmSimulators } from '../../lab/crm/simulators.js';
import { toldCall, type ToldCall } from '../../lab/crm/told-call.js';
import { foundCompany, type Company } from '../../lab/company.js';
import { startRingline, type LabRingline } from '../../lab/ringline.js';
import type { SipCall } from '../../lab/sip-trace.js';
import type { Caller, Phone } from '../../lab/sipp.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';
import { crmAdapters } from '../../src/crm/adapters/crm-adapters.js';
import type { CrmCapabilities } from '../../src/crm/port/crm-adapter.js';

// One lab and one Ringline; for each CRM a company with a line, two agents, and its simulator beside it.

export const RING_MS = 1_200;
/** Long enough for some sound to be recorded on a machine that is busy. */
export const TALK_MS = 2_000;
const PATIENCE_MS = 60_000;

export type Desk = {
  readonly agentId: string;
  readonly name: string;
  readonly endpoint: string;
  /** In the CRM. */
  readonly userId: string;
};

type Rules = Readonly<Record<string, unknown>>;
/** Some CRMs take links on https alone; what stands behind that proxy is asked directly. */
const PUBLIC_URL = 'https://ringline.example';
const rules: Rules = { missedCalls: { task: 'owner', dueMinutes: 30 }, timeZone: 'Europe/Berlin' };

export class CrmLab {
  private constructor(
    readonly lab: Lab,
    readonly ringline: LabRingline,
    /** All agents' phones: they answer after a while, and do not hang up. */
    readonly phones: Phone,
    /** All customers who are called: they answer at once and hang up after a while. */
    readonly carrier: Phone,
    readonly offices: ReadonlyMap<string, Office>,
  ) {}

  /** @param byExtension CRMs in which an agent is known by his extension; in the others he is by his e-mail address. */
  static async start(byExtension: readonly string[]): Promise<CrmLab> {
    const lab = await startLab();
    try {
      const ringline = await startRingline(lab, { env: { PUBLIC_URL } });
      const register = crmAdapters.flatMap((_, index) => [endpointOf(index, 0), endpointOf(index, 1)]);
      const phones = await lab.sipp.phone({ name: 'agents', register, ringMs: RING_MS, media: 'stream' });
      const { trunk } = lab.ports;
      const carrier = await lab.sipp.phone({ name: 'customers', port: trunk, ringMs: 100, talkMs: TALK_MS });
      const offices = new Map<string, Office>();
      let nodeId: string | undefined;
      for (const [index, { name }] of crmAdapters.entries()) {
        const shared = { lab, ringline, phones, carrier, nodeId };
        const office = await Office.open(shared, name, index, byExtension.includes(name));
        ({ nodeId } = office.company);
        offices.set(name, office);
      }
      return new CrmLab(lab, ringline, phones, carrier, offices);
    } catch (error) {
      await lab.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.ringline.stop();
    await Promise.all([...this.offices.values()].map(({ crm }) => crm.stop()));
    await this.lab.stop();
  }
}

function endpointOf(office: number, desk: number): string {
  return `agent${2 * office + desk + 1}`;
}

function behind({ url: own }: LabRingline, url: string): string {
  return url.replace(PUBLIC_URL, own);
}

type Shared = Pick<CrmLab, 'lab' | 'ringline' | 'phones' | 'carrier'> & { readonly nodeId: string | undefined };

/** A company and its CRM. */
export class Office {
  #numbers = 0;

  private constructor(
    readonly lab: Lab,
    readonly ringline: LabRingline,
    readonly phones: Phone,
    readonly carrier: Phone,
    readonly crm: CrmSimulator,
    readonly capabilities: CrmCapabilities,
    readonly company: Company,
    readonly desks: readonly [Desk, Desk],
    readonly connectionId: string,
    readonly doorUrl: string,
    private readonly index: number,
  ) {}

  static async open(
    { lab, ringline, phones, carrier, nodeId }: Shared,
    name: string,
    index: number,
    byExtension: boolean,
  ): Promise<Office> {
    const adapter = crmAdapters.find((one) => one.name === name);
    const start = crmSimulators[name];
    if (adapter === undefined || start === undefined) throw new Error(`${name} has no adapter or no simulator`);
    const line = `+493090182${index}0`;
    const crm = await start(line);
    const company = await foundCompany(lab, ringline, {
      agents: [2 * index + 1, 2 * index + 2],
      number: line,
      recording: 'on',
      ...(nodeId !== undefined && { nodeId }),
    });
    const desk = async (n: 0 | 1): Promise<Desk> => {
      const endpoint = endpointOf(index, n);
      const [agentId, title] = [company.agentIds[n] ?? '', `Agent ${endpoint}`];
      const email = byExtension ? null : `${endpoint}@example.com`;
      await company.call('PATCH', `/v1/agents/${agentId}`, { body: { email, name: title } });
      // What the agent's phone is named for, or what both sides know of the person: there is no map.
      const known = email === null ? { extension: endpoint.replace(/\D/g, '') } : { email };
      return { agentId, name: title, endpoint, userId: crm.addUser({ name: title, ...known }) };
    };
    const desks = [await desk(0), await desk(1)] as const;
    const target = { agentIds: [desks[0].agentId], ringSeconds: 25 };
    await company.call('PATCH', `/v1/lines/${company.lineId}`, { body: { target } });
    const { body } = await company.call('POST', '/v1/crm-connections', {
      body: { adapter: name, name: adapter.title, settings: crm.settings, rules },
    });
    const capabilities = adapter.capabilities(adapter.settings.parse(crm.settings));
    return new Office(
      lab,
      ringline,
      phones,
      carrier,
      crm,
      capabilities,
      company,
      desks,
      body.id,
      behind(ringline, body.doorUrl),
      index,
    );
  }

  /** Where a link that the CRM was given is found here. */
  toRingline(url: string): string {
    return behind(this.ringline, url);
  }

  /** A number that is nobody's yet. */
  newNumber(): string {
    return `+4930231${this.index}10${String(this.#numbers++).padStart(2, '0')}`;
  }

  /** Somebody whom the CRM knows, and whose owner is the second agent. */
  newContact(name: string): { readonly number: string; readonly id: string; readonly type: string } {
    const number = this.newNumber();
    return { number, ...this.crm.addContact({ name, numbers: [number], ownerId: this.desks[1].userId }) };
  }

  async makeOfUnknown(make: string): Promise<void> {
    const changed = { ...rules, unknownCallers: [{ make }] };
    await this.company.call('PATCH', `/v1/crm-connections/${this.connectionId}`, { body: { rules: changed } });
  }

  /** Somebody calls the line. */
  ring(from: string, options: { readonly talkMs?: number; readonly giveUpMs?: number }): Promise<Caller> {
    return this.lab.sipp.caller({ calls: [{ from, to: this.company.did }], media: 'echo', ...options });
  }

  /** Has the number called for the first agent: by a click in the CRM, where it has such, else by an application. */
  async dial(number: string): Promise<string> {
    const [{ agentId }] = this.desks;
    if (!this.capabilities.doors.includes('dial')) {
      const body = { agentId, to: number };
      const placed = await this.company.call('POST', '/v1/calls', { headers: { 'idempotency-key': number }, body });
      return placed.body.id as string;
    }
    const answer = await this.click(number);
    const body = (await answer.json()) as { readonly callId?: string };
    if (answer.status !== 200 || body.callId === undefined) throw new Error(`the click was refused: ${answer.status}`);
    return body.callId;
  }

  /** The first agent clicks on a number in the CRM, whose request to our door is this. */
  async click(number: string): Promise<Response> {
    const [{ userId }] = this.desks;
    const answer = await this.crm.click?.({ userId, number, doorUrl: this.doorUrl });
    if (answer === undefined) throw new Error('this CRM has no click');
    return answer;
  }

  async read(callId: string): Promise<Call> {
    return (await this.company.call('GET', `/v1/calls/${callId}`)).body as Call;
  }

  /** The one call with somebody that was not there before. */
  async callWith(number: string, isWanted: (call: Call) => boolean = () => true): Promise<Call> {
    return waitFor(
      async () => {
        const { items } = (await this.company.call('GET', '/v1/calls?limit=20')).body as { items: readonly Call[] };
        return items.find((call) => call.remote.e164 === number && isWanted(call));
      },
      { what: `a call with ${number}`, timeoutMs: PATIENCE_MS, everyMs: 50 },
    );
  }

  atAgent(desk: Desk, inviteAfter: number, isWanted: (call: SipCall) => boolean): Promise<SipCall> {
    const isIt = (call: SipCall): boolean =>
      call.calledUser === desk.endpoint && call.inviteAt >= inviteAfter && isWanted(call);
    return this.phones.call(isIt, `the phone of ${desk.name}`, PATIENCE_MS);
  }

  atCustomer(number: string): Promise<SipCall> {
    const isOver = (call: SipCall): boolean => call.calledUser === number && call.byeAt !== undefined;
    return this.carrier.call(isOver, `the phone of ${number}`, PATIENCE_MS);
  }

  told(callId: string): Promise<ToldCall> {
    return toldCall(this.company, this.crm, callId).catch(async (error: unknown) => {
      throw new Error(`${(error as Error).message}\n${await this.#howRecordingsGo()}`);
    });
  }

  /** Why one is not there yet no API tells before it is given up. */
  async #howRecordingsGo(): Promise<string> {
    const metrics = await (await fetch(this.ringline.metricsUrl)).text();
    const lines = metrics.split('\n').filter((line) => /^ringline_recording(s_waiting|_fetches_total)/.test(line));
    return lines.join('\n');
  }
}
