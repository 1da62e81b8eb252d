import type { DataSource } from 'typeorm';
import type { Log } from '../../common/logger.js';
import type { ProblemDetails, ProblemType } from '../../common/problems.js';
import type { Notifications } from '../../database/notifications.js';
import type { Fact } from '../domain/fact.js';
import type { ClickToCall } from '../domain/plan.js';
import type { CallLedger } from '../ledger/call-ledger.js';
import { REQUEST_DECIDED } from '../ledger/ledger-store.js';
import type { TelephonySwitch } from '../telephony-switch.js';
import { plannedLegsOf } from './outside-legs.js';
import { plannedRemote } from './remote-leg.js';

/** PostgreSQL channel: a click-to-call waits for its node's owner. */
export const REQUEST_MADE = 'ringline_request_made';
const POLL_MS = 1_000;
const SWEEP_EVERY_MS = 10_000;
/** A request nobody decided in this time is no longer wanted: whoever clicked was told so. */
const EXPIRED_AFTER_SECONDS = 10;

type RequestRow = {
  readonly tenant_id: string;
  readonly call_id: string;
  readonly agent_id: string;
  readonly pbx_node_id: string;
  readonly plan: ClickToCall;
};

/**
 * The node owner's part of a click-to-call: takes requests that were stored, asks the switch whether the agent can be
 * reached, and either puts the call before the ledger or refuses the request.
 */
export class RequestIntake {
  #timer: NodeJS.Timeout | null = null;
  #taking: Promise<void> | null = null;
  #again = false;
  #sweptAt = 0;
  #stopped = false;

  constructor(
    private readonly source: DataSource,
    private readonly notifications: Notifications,
    private readonly ledger: CallLedger,
    private readonly telephony: TelephonySwitch,
    private readonly log: Log,
  ) {}

  async start(): Promise<void> {
    await this.notifications.on(REQUEST_MADE, () => this.wake());
    this.#timer = setInterval(() => this.wake(), POLL_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#taking;
  }

  /** Looks for requests. One look at a time; a wake-up during a look means one more. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#taking !== null) {
      this.#again = true;
      return;
    }
    this.#taking = this.#take()
      .catch((error: unknown) => this.log.warn({ scope: 'control', error }, 'click-to-call requests could not be read'))
      .finally(() => {
        this.#taking = null;
        if (this.#again) {
          this.#again = false;
          this.wake();
        }
      });
  }

  async #take(): Promise<void> {
    const rows: RequestRow[] = await this.source.query(
      `select tenant_id, call_id, agent_id, pbx_node_id, plan from call_request
        where state = 'deciding' and created_at >= now() - make_interval(secs => $1) order by created_at limit 100`,
      [EXPIRED_AFTER_SECONDS],
    );
    await Promise.all(rows.map((row) => this.#decide(row)));
    if (Date.now() - this.#sweptAt < SWEEP_EVERY_MS) return;
    this.#sweptAt = Date.now();
    await this.#sweep();
  }

  async #decide(row: RequestRow): Promise<void> {
    const boot = this.telephony.bootOf(row.pbx_node_id);
    if (boot === null) {
      return this.#refuse(row, 'node-unavailable', {
        detail: 'Ringline is not connected to the PBX of this agent.',
        retryAfterSeconds: 5,
      });
    }
    if (this.ledger.trouble() !== null) {
      return this.#refuse(row, 'database-unavailable', {
        detail: 'Call records cannot be stored at the moment.',
        retryAfterSeconds: 5,
      });
    }
    if (this.telephony.isOverloaded(row.pbx_node_id)) {
      return this.#refuse(row, 'node-unavailable', {
        detail: 'The PBX, or Ringline, has more to do than it can.',
        retryAfterSeconds: 2,
      });
    }
    const { outside = [] } = row.plan;
    const presences = await Promise.all(
      row.plan.phones.map(({ endpoint }) => this.telephony.endpointPresence(row.pbx_node_id, endpoint)),
    );
    if (presences.length > 0 && presences.every((presence) => presence === 'unknown')) {
      return this.#refuse(row, 'node-unavailable', { detail: 'The PBX does not answer.', retryAfterSeconds: 5 });
    }
    const phones = row.plan.phones.filter((_, i) => presences[i] === 'online');
    // An outside number needs no registration.
    if (phones.length === 0 && outside.length === 0) {
      return this.#refuse(row, 'agent-unreachable', {
        detail: 'None of the agent’s phones is registered at the PBX.',
        field: 'agentId',
      });
    }
    // From here on the request is ours: whoever waits for it no longer gives up.
    const taken: unknown[] = await this.source.query(
      `with taken as (update call_request set state = 'placing' where call_id = $1 and state = 'deciding' returning 1) select * from taken`,
      [row.call_id],
    );
    if (taken.length > 0) this.#place(row, boot, { ...row.plan, phones });
  }

  #place(row: RequestRow, boot: string, plan: ClickToCall): void {
    const at = this.telephony.nowAt(row.pbx_node_id);
    const { call_id: callId, tenant_id: tenantId } = row;
    const placed: Fact = {
      leg: callId,
      kind: 'placed',
      key: '',
      at,
      source: 'ringline',
      data: {
        direction: 'outbound',
        from: { raw: plan.line.number, e164: plan.line.number, name: plan.line.name },
        to: plan.to,
        line: plan.line,
        plan,
      },
    };
    const first: readonly Fact[] =
      plan.order === 'customer-first'
        ? [{ ...plannedRemote(callId, plan), at, source: 'ringline' }]
        : plannedLegsOf(callId, plan, at);
    this.ledger.tell({
      nodeId: row.pbx_node_id,
      boot,
      leg: callId,
      facts: [placed, ...first],
      receivedAt: null,
      call: { id: callId, tenantId },
    });
  }

  async #refuse(row: RequestRow, type: ProblemType, details: ProblemDetails): Promise<void> {
    await this.source.query(
      `with refused as (
         update call_request set state = 'refused', open = false, refusal = $2 where call_id = $1 and state = 'deciding' returning call_id
       ) select pg_notify('${REQUEST_DECIDED}', call_id::text) from refused`,
      [row.call_id, { type, details }],
    );
  }

  /**
   * What a crash left half decided: no call came of it, so it counts against nobody and may be asked for again. A call that is
   * still being stored will come: were its request forgotten, the next with the same key would be a second call.
   */
  async #sweep(): Promise<void> {
    await this.source.query(
      `delete from call_request r
        where r.state in ('deciding', 'placing', 'refused') and r.created_at < now() - make_interval(secs => $1)
          and r.call_id <> all($2::uuid[])
          and not exists (select from call c where c.tenant_id = r.tenant_id and c.id = r.call_id)`,
      [EXPIRED_AFTER_SECONDS, this.ledger.unstoredCalls()],
    );
    await this.source.query(
      `delete from call_request where state = 'accepted' and not open and created_at < now() - interval '24 hours'`,
    );
  }
}
