import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { newId } from '../common/ids.js';
import { Problem } from '../common/problems.js';
import { Database } from '../database/database.js';
import { toPage, type Page } from '../http/paging.js';
import { anonymousWords, readNumber } from '../numbers/phone-number.js';
import type { Actor } from '../tenancy/actor.js';
import type { AnnotateCall, SendDigits, TransferCall } from './call-request.schema.js';
import type { CallCursor, ListCallsQuery, Timeline } from './calls.schema.js';
import type { Call } from './domain/call.js';
import { holdingLeg } from './control/legs.js';
import { refusalOf } from './control/recording.js';
import type { CallState } from './domain/call-state.js';
import type { Fact, RecordingAction } from './domain/fact.js';
import { presentTalk, talks } from './domain/talk.js';
import { openTransfer, transferKey, type TransferState } from './domain/transfer.js';
import { CallLedger } from './ledger/call-ledger.js';
import { TelephonySwitch } from './telephony-switch.js';
import { tellTimeline } from './timeline.js';
import { TransferTargets } from './transfer-targets.js';

/** The history of calls, and what people do to a call by the API. Everything is read and done for one tenant. */
@Injectable()
export class CallsService {
  constructor(
    private readonly database: Database,
    private readonly ledger: CallLedger,
    private readonly telephony: TelephonySwitch,
    private readonly targets: TransferTargets,
  ) {}

  async get({ tenantId }: Actor, id: string): Promise<Call> {
    const [row]: { document: Call }[] = await this.database.source.query(
      'select document from call where tenant_id = $1 and id = $2',
      [tenantId, id],
    );
    if (row === undefined) throw new Problem('not-found', { detail: 'There is no such call.' });
    return row.document;
  }

  async list({ tenantId }: Actor, query: ListCallsQuery): Promise<Page<Call>> {
    const conditions = ['tenant_id = $1'];
    const values: unknown[] = [tenantId];
    const where = (condition: (parameter: string) => string, value: unknown): void => {
      if (value === undefined) return;
      values.push(value);
      conditions.push(condition(`$${values.length}`));
    };
    where((p) => `agent_ids @> array[${p}::uuid]`, query.agentId);
    where((p) => `direction = ${p}`, query.direction);
    where((p) => `outcome = ${p}`, query.outcome);
    where((p) => `status = ${p}`, query.status);
    where((p) => `started_at >= ${p}`, query.from);
    where((p) => `started_at < ${p}`, query.to);
    if (query.number !== undefined) {
      // A + that was not escaped is a space in a query.
      const sent = query.number.replace(/^ (?=[0-9])/, '+');
      const { number, kind, extension } = readNumber(sent, await this.#region(tenantId));
      if (number.e164 !== null) where((p) => `remote_e164 = ${p}`, number.e164);
      else {
        const raws = kind === 'anonymous' ? anonymousWords : [number.raw.toLowerCase(), extension ?? number.raw];
        where((p) => `remote_e164 is null and lower(document->'remote'->>'raw') = any(${p}::text[])`, raws);
      }
    }
    const cursor: CallCursor | undefined = query.cursor;
    if (cursor !== undefined) {
      values.push(...cursor);
      conditions.push(`(started_at, id) < ($${values.length - 1}, $${values.length}::uuid)`);
    }
    const rows: { id: string; document: Call }[] = await this.database.source.query(
      `select id, document from call where ${conditions.join(' and ')} order by started_at desc, id desc limit ${query.limit + 1}`,
      values,
    );
    return toPage(
      rows,
      query.limit,
      ({ id, document }) => [document.startedAt, id],
      ({ document }) => document,
    );
  }

  async timeline(actor: Actor, id: string): Promise<Timeline> {
    const rows: { leg: string; kind: string; key: string; at: Date; source: string; data: unknown }[] =
      await this.database.source.query(
        `select f.leg, f.kind, f.key, f.at, f.source, f.data
         from call_leg l join call_fact f using (pbx_node_id, boot, leg) where l.tenant_id = $1 and l.call_id = $2`,
        [actor.tenantId, id],
      );
    if (rows.length === 0) throw new Problem('not-found', { detail: 'There is no such call.' });
    return { items: tellTimeline(rows.map((row) => ({ ...row, at: row.at.getTime() }) as Fact)) };
  }

  /** Ends a call, at whatever stage it is and whoever makes it. */
  async hangup(actor: Actor, id: string): Promise<Call> {
    assertOpen(await this.get(actor, id));
    return this.#tell(actor, id, { kind: 'cancel-asked', key: '', data: { by: 'api', reason: 'cancelled-by-api' } });
  }

  /** Puts the other party on hold, or takes it off: the agent is at peace, the other party hears music. */
  async hold(actor: Actor, id: string, held: boolean): Promise<Call> {
    const { holdAsks } = await this.#talking(actor, id);
    if ((holdAsks.at(-1)?.held ?? false) === held) return this.get(actor, id);
    return this.#tell(actor, id, { kind: 'hold-asked', key: String(holdAsks.length + 1), data: { held } });
  }

  /** The agent is not heard by the other party, or is heard again. */
  async mute(actor: Actor, id: string, muted: boolean): Promise<Call> {
    const { muteAsks } = await this.#talking(actor, id);
    if ((muteAsks.at(-1)?.muted ?? false) === muted) return this.get(actor, id);
    return this.#tell(actor, id, { kind: 'mute-asked', key: String(muteAsks.length + 1), data: { muted } });
  }

  /** Has the other party go to somebody else: at once when he answers, or when who has the call says so. */
  async transfer(actor: Actor, id: string, body: TransferCall): Promise<Call> {
    const state = await this.#talking(actor, id);
    const call = await this.get(actor, id);
    const holder = holdingLeg(state);
    if (body.agentId !== undefined && body.agentId === holder?.agentId)
      throw new Problem('transfer-conflict', { detail: 'This agent has the call already.', field: 'agentId' });
    const { mode, ringSeconds } = body;
    const data = { mode, ringSeconds, target: await this.targets.find(call, body) };
    const told = { kind: 'transfer-asked', key: transferKey(state.transfers.length + 1), data } as const;
    const answer = await this.#tell(actor, id, told);
    const stands = (await this.ledger.find(id))?.state?.transfers[state.transfers.length];
    if (stands !== undefined && !isDeepStrictEqual(stands.target, data.target)) throw underWay();
    return answer;
  }

  /** The other party goes to who is consulted: now, or once he answers. */
  async completeTransfer(actor: Actor, id: string): Promise<Call> {
    const transfer = await this.#transferring(actor, id);
    if (transfer.mode === 'blind')
      throw new Problem('transfer-conflict', { detail: 'A blind transfer is complete as soon as its target answers.' });
    return this.#tell(actor, id, { kind: 'transfer-complete-asked', key: transferKey(transfer.place), data: {} });
  }

  /** The other party goes back to who has the call. */
  async cancelTransfer(actor: Actor, id: string): Promise<Call> {
    const { place } = await this.#transferring(actor, id);
    return this.#tell(actor, id, { kind: 'transfer-cancel-asked', key: transferKey(place), data: {} });
  }

  /** Sends the other party DTMF digits. */
  async sendDigits(actor: Actor, id: string, { digits }: SendDigits): Promise<Call> {
    await this.#talking(actor, id);
    return this.#tell(actor, id, { kind: 'digits-asked', key: newId(), data: { digits } });
  }

  /** Starts, stops, pauses or resumes the call's recording, once both parties talk. */
  async record(actor: Actor, id: string, action: RecordingAction): Promise<Call> {
    await this.#open(actor, id);
    const state = (await this.ledger.find(id))?.state;
    if (state == null) throw new Problem('not-found', { detail: 'There is no such call.' });
    if (state.handedBack !== null)
      throw new Problem('call-not-controllable', { detail: 'The caller is back in the dial plan.' });
    const refusal = refusalOf(action, id, state.placed.plan, state);
    if (refusal !== null) throw new Problem('recording-conflict', { detail: refusal });
    // Sent twice at once, it is one wish.
    const key = `${state.recordingAsks.length}-${action}`;
    return this.#tell(actor, id, { kind: 'recording-asked', key, data: { action } });
  }

  /** Writes a note, a disposition, tags to the record. What is left out stays. */
  async annotate(actor: Actor, id: string, { note, disposition, tags }: AnnotateCall): Promise<Call> {
    await this.get(actor, id);
    const data = {
      ...(note !== undefined && { note }),
      ...(disposition !== undefined && { disposition }),
      ...(tags !== undefined && { tags }),
    };
    if (Object.keys(data).length === 0) return this.get(actor, id);
    return this.#tell(actor, id, { kind: 'annotated', key: newId(), data });
  }

  /** @throws {Problem} `call-not-controllable`, `call-ended` */
  async #open(actor: Actor, id: string): Promise<Call> {
    const call = await this.get(actor, id);
    if (call.control !== 'driven')
      throw new Problem('call-not-controllable', {
        detail: 'The dial plan makes this call and Ringline only follows it: it can be hung up, and nothing else.',
      });
    assertOpen(call);
    return call;
  }

  /** @throws {Problem} as `#open`, or `transfer-conflict` */
  async #transferring(actor: Actor, id: string): Promise<TransferState> {
    await this.#open(actor, id);
    const state = (await this.ledger.find(id))?.state;
    const transfer = state == null ? null : openTransfer(state);
    if (transfer === null) throw new Problem('transfer-conflict', { detail: 'No transfer of this call is under way.' });
    return transfer;
  }

  /** @throws {Problem} as `#open`, or `call-not-answered`, or `transfer-conflict` while the other party waits for another */
  async #talking(actor: Actor, id: string): Promise<CallState> {
    const { status } = await this.#open(actor, id);
    const state = (await this.ledger.find(id))?.state;
    if (state == null || (status !== 'answered' && status !== 'held'))
      throw new Problem('call-not-answered', { detail: `The call is ${status}: the parties do not talk yet.` });
    if (openTransfer(state) !== null) throw underWay();
    if (presentTalk(talks(state)) === undefined)
      throw new Problem('call-not-answered', { detail: 'The parties of the call do not talk any more.' });
    return state;
  }

  async #tell(actor: Actor, id: string, fact: Pick<Fact, 'kind' | 'key' | 'data'>): Promise<Call> {
    const call = await this.ledger.find(id);
    if (call === null) throw new Problem('not-found', { detail: 'There is no such call.' });
    const at = this.telephony.nowAt(call.identity.pbxNodeId);
    this.ledger.tellOf(call, [{ ...fact, at, source: 'ringline' }]);
    await this.ledger.settled();
    return this.get(actor, id);
  }

  async #region(tenantId: string): Promise<string> {
    const [row]: { region: string }[] = await this.database.source.query('select region from tenant where id = $1', [
      tenantId,
    ]);
    return row?.region ?? 'US';
  }
}

/** @throws {Problem} `call-ended` */
function assertOpen({ endedAt }: Call): void {
  if (endedAt !== null) throw new Problem('call-ended', { detail: `The call ended at ${endedAt}.` });
}

function underWay(): Problem {
  return new Problem('transfer-conflict', { detail: 'A transfer of this call is under way.' });
}
