import { foundCompany, type Company, type CompanyOptions } from '../../lab/company.js';
import type { FaultProxy } from '../../lab/fault-proxy.js';
import { disagreements, type Witnesses } from '../../lab/record-oracle.js';
import { startRingline, type LabRingline } from '../../lab/ringline.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { storedEvents } from '../../lab/stored-events.js';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';

/** A company of driven calls with a line for each agent, so that calls side by side ring phones of their own. */
export class DrivenScene {
  private constructor(
    readonly lab: Lab,
    readonly ringline: LabRingline,
    readonly company: Company,
    /** Between Ringline and Asterisk. */
    readonly ari: FaultProxy,
    /** What callers dial to reach each agent. */
    readonly dids: readonly string[],
  ) {}

  static async set(options: CompanyOptions = {}, env: Readonly<Record<string, string>> = {}): Promise<DrivenScene> {
    const lab = await startLab();
    const ari = await lab.proxy(lab.asterisk.ariUrl);
    const ringline = await startRingline(lab, { env });
    const company = await foundCompany(lab, ringline, { ...options, ariUrl: ari.url });
    const [first, ...others] = company.agentIds;
    const { body: line } = await company.call('PATCH', `/v1/lines/${company.lineId}`, {
      body: { target: { agentIds: [first], ringSeconds: 25 } },
    });
    const more: string[] = [];
    for (const [i, agentId] of others.entries()) {
      const { body } = await company.call('POST', '/v1/lines', {
        body: {
          pbxNodeId: company.nodeId,
          number: `+493090182${i + 1}`,
          name: `Line ${i + 2}`,
          target: { agentIds: [agentId], ringSeconds: 25 },
          recording: line.recording,
        },
      });
      more.push(body.did as string);
    }
    return new DrivenScene(lab, ringline, company, ari, [company.did, ...more]);
  }

  /** All calls with this number, newest first. */
  async records(number: string): Promise<readonly Call[]> {
    const { body } = await this.company.call('GET', `/v1/calls?number=${encodeURIComponent(number)}`);
    return (body as { items: Call[] }).items;
  }

  /** The newest call with this number, once it is as wanted. */
  record(number: string, what: string, wanted: (call: Call) => boolean, timeoutMs = 20_000): Promise<Call> {
    return waitFor(
      async () => {
        const [newest] = await this.records(number);
        return newest !== undefined && wanted(newest) && newest;
      },
      { what, timeoutMs },
    );
  }

  ended(number: string): Promise<Call> {
    return this.record(number, `the call with ${number} to end`, ({ status }) => status === 'ended');
  }

  async eventTypes({ id }: Call): Promise<readonly string[]> {
    return (await storedEvents(this.ringline.databaseUrl, id)).map(({ type }) => type.replace('call.', ''));
  }

  /** What phones and Asterisk's log say against a record. */
  async disagreements(record: Call, witnesses: Omit<Witnesses, 'cel'>): Promise<string[]> {
    return disagreements(record, { ...witnesses, cel: await this.lab.asterisk.cel() });
  }

  async end(): Promise<void> {
    await this.ringline.stop();
    await this.lab.stop();
  }
}
