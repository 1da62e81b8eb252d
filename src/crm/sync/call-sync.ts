import type { Clock } from '../../common/clock.js';
import type { Log } from '../../common/logger.js';
import { soughtAgents } from '../../screen-pop/pop.js';
import type { Call } from '../../calls/domain/call.js';
import type { CrmClients } from '../client/crm-clients.js';
import { purposes } from '../client/purpose.js';
import type { CrmCapabilities, CrmSession } from '../port/crm-adapter.js';
import { done, type Failure, type Verdict } from '../port/verdict.js';
import { callView } from './call-view.js';
import type { CrmSyncMetrics } from './crm-sync-metrics.js';
import { giveStep, purposeOf, type StepParts } from './give-step.js';
import { inTime } from './in-time.js';
import { linksAfter, linksAfterGone, makingStep, withoutBegun, type DoneStep } from './links-after.js';
import { contactOf, type Links } from './links.js';
import { holdsUpPop, nextStep, recordingWay, type Situation, type Step } from './next-step.js';
import { retryDelayMs } from './retry-delay.js';
import type { Claim, Loaded, SyncedConnection, SyncStore } from './sync-store.js';
import type { UserDirectory } from './user-directory.js';

/** What became of a claimed row. */
export type Ending = {
  /** Something of its tenant is due again after this, ms. */
  readonly dueInMs?: number;
  /** Its CRM is better left alone for so long, ms. */
  readonly pauseMs?: number;
};

export type SyncTimes = {
  /** A step that takes longer is not waited for; its answer counts as lost. */
  readonly stepMs: number;
  /** Until a step is given again that has failed so often in a row. */
  readonly retryMs: (failures: number) => number;
  /** Until credentials that were refused are tried again. */
  readonly refusedMs: number;
};

export const syncTimes: SyncTimes = {
  stepMs: 90_000,
  retryMs: (failures) => retryDelayMs(failures, Math.random()),
  refusedMs: 25_000,
};

/** What a CRM may ask us to wait for, ms: the longest is a daily budget. */
const LONGEST_WAIT_MS = 24 * 3_600_000;
const RATE_LIMITED_MS = 10_000;
/** How long a lead takes to be made, about. */
const BEING_MADE_MS = 1_000;
/** More than any call needs: so many in a row come to no end. */
const MOST_STEPS = 60;
/** Failures after which one waits a minute or so. */
const LONG_FAILING = 4;
/** The entity's lowest priority: what is caught up on. */
const CAUGHT_UP = purposes.indexOf('backfill');

/** Brings one call to one CRM: step after step, as long as something is missing, each stored before the next. */
export class CallSync {
  readonly #updatedAt = new Map<string, number>();

  constructor(
    private readonly store: SyncStore,
    private readonly clients: Pick<CrmClients, 'adapterOf' | 'settingsOf' | 'session' | 'forget'>,
    private readonly users: UserDirectory,
    private readonly parts: StepParts,
    private readonly metrics: CrmSyncMetrics,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly times: SyncTimes = syncTimes,
  ) {}

  /**
   * @param goesOn asked before each step; false gives the claim back
   * @throws when PostgreSQL cannot be used: the claim runs out, and the row is looked at again
   */
  async run(claim: Claim, goesOn: () => boolean): Promise<Ending> {
    try {
      return await this.#run(claim, goesOn);
    } catch (error) {
      // PostgreSQL was away for a moment, or this call is one that Ringline cannot tell: the others go on meanwhile.
      this.log.error({ scope: 'crm', ...about(claim), error }, 'a CRM sync broke off');
      const why = 'Ringline failed; its log tells why.';
      const ms = this.times.retryMs(LONG_FAILING);
      await this.store.later(claim, null, { ms, isFailure: true, step: 'prepare', why });
      return { dueInMs: ms };
    }
  }

  async #run(claim: Claim, goesOn: () => boolean): Promise<Ending> {
    let isWoken = false;
    let popsFirst = false;
    for (let given = 0; given < MOST_STEPS; given += 1) {
      const loaded = await this.store.load(claim);
      if (loaded === null) return {};
      const { call, connection } = loaded;
      if (call === null) {
        await this.store.forget(claim);
        return {};
      }
      if (!goesOn() || connection.status !== 'enabled') {
        await this.store.giveBack(claim);
        return {};
      }
      this.#forgetOldSettings(connection);
      if (given === 0) isWoken = await this.#wakeTasks(claim, call);
      const ending = await this.#step(claim, loaded, call, popsFirst);
      if (ending === 'pop-first') popsFirst = true;
      else if (ending !== null) return isWoken ? { ...ending, dueInMs: 0 } : ending;
      if (given === MOST_STEPS - 1) {
        this.log.error({ scope: 'crm', ...about(claim) }, 'the steps of a CRM sync come to no end');
        return this.#refuse(claim, loaded, 'none', loaded.links, 'Its steps come to no end.');
      }
    }
    return {};
  }

  /** Tasks to call somebody back are closed in their own rows, once somebody talks with him. */
  async #wakeTasks(claim: Claim, { answeredAt, remote, startedAt }: Call): Promise<boolean> {
    return answeredAt !== null && remote.e164 !== null && this.store.wakeTasks(claim, remote.e164, startedAt);
  }

  /** Another process may have changed them. */
  #forgetOldSettings({ id, updatedAt }: SyncedConnection): void {
    const known = this.#updatedAt.get(id);
    if (known !== undefined && known !== updatedAt.getTime()) this.clients.forget(id);
    this.#updatedAt.set(id, updatedAt.getTime());
  }

  /** Gives one step. Null: there may be another; `pop-first`: there is, which was to come after this one. */
  async #step(claim: Claim, loaded: Loaded, call: Call, popsFirst: boolean): Promise<Ending | 'pop-first' | null> {
    const { connection, links } = loaded;
    const made = await this.#situation(loaded, call);
    if (made.verdict !== 'done') return this.#failed(claim, loaded, 'prepare', links, made);
    const situation: Situation = { ...made.value, popsFirst };
    const step = nextStep(situation);
    if (step === null) return this.#finish(claim, loaded, call);
    const making = makingStep(step, situation);
    const begun = await this.#begin(claim, loaded, situation, step);
    if (begun !== 'go') return begun;
    const isCaughtUp = loaded.priority >= CAUGHT_UP;
    const verdict = await this.#give(step, situation, loaded, isCaughtUp);
    if (verdict?.verdict !== 'done' && holdsUpPop(step, situation)) {
      const isUnknown = verdict === null || verdict.mayBeDone === true;
      const after = isUnknown ? { ...links, begun: 'createObject' as const } : links;
      return (await this.store.keep(claim, after, false)) ? 'pop-first' : {};
    }
    if (verdict === null) {
      const why = `Ringline failed at ${step.step}; its log tells more.`;
      const after = making === null ? links : { ...links, begun: making };
      return this.#refuse(claim, loaded, step.step, after, why);
    }
    if (verdict.verdict === 'done') {
      if (connection.refusals > 0) await this.store.accepted(connection);
      return (await this.store.keep(claim, linksAfter(verdict.value, situation), true)) ? null : {};
    }
    // What was not done now may have been done before.
    const mayBeDone = verdict.mayBeDone === true || links.begun === making;
    const after = making !== null && mayBeDone ? { ...links, begun: making } : keptBegun(step, links);
    return this.#failedStep(claim, loaded, situation, step, after, verdict);
  }

  /** Stores what a step is about to make, so that the claim is sure to hold while it does. `go`: it may be given. */
  async #begin(
    claim: Claim,
    loaded: Loaded,
    situation: Situation,
    step: Step,
  ): Promise<Ending | 'pop-first' | 'go' | null> {
    const { links } = loaded;
    const making = makingStep(step, situation);
    if (making === null) return 'go';
    const { e164 } = situation.view.number;
    if (step.step !== 'createObject' || e164 === null) {
      return (await this.store.keep(claim, { ...links, begun: making }, false)) ? 'go' : {};
    }
    const begun = await this.store.beginCreating(claim, links, step.kind, e164);
    switch (begun) {
      case 'begun':
        return 'go';
      case 'lost':
        return {};
      case 'being-made': {
        if (holdsUpPop(step, situation)) return 'pop-first';
        const why = 'For another call of this number the same is being made; it is waited for.';
        return this.#failed(claim, loaded, step.step, links, { verdict: 'rate-limited', why, afterMs: BEING_MADE_MS });
      }
      default:
        return (await this.store.keep(claim, { ...links, created: begun }, true)) ? null : {};
    }
  }

  async #failedStep(
    claim: Claim,
    loaded: Loaded,
    situation: Situation,
    step: Step,
    links: Links,
    failure: Failure,
  ): Promise<Ending | null> {
    const { verdict } = failure;
    // A pop that comes late is of no use, and holds nothing up.
    if (step.step === 'popScreen' && (verdict === 'retry' || verdict === 'rejected' || verdict === 'gone')) {
      return (await this.store.keep(claim, linksAfter({ ...step, value: undefined }, situation), false)) ? null : {};
    }
    const remade = verdict === 'gone' ? linksAfterGone(step, situation) : null;
    if (remade !== null) {
      const lost = remade.isAskedAnew === situation.links.isAskedAnew ? null : contactOf(situation.links);
      if (lost != null) await this.parts.contacts.forget(loaded.connection, lost);
      return (await this.store.keep(claim, remade, true)) ? null : {};
    }
    return this.#failed(claim, loaded, step.step, links, failure);
  }

  async #failed(claim: Claim, loaded: Loaded, step: string, links: Links, failure: Failure): Promise<Ending> {
    const { connection, attempts } = loaded;
    const { why } = failure;
    const later = async (ms: number, isFailure: boolean): Promise<Ending> => {
      const isDue = await this.store.later(claim, links, { ms, isFailure, step, why });
      if (!isDue) this.metrics.failed.inc({ adapter: connection.adapter });
      return isDue ? { dueInMs: ms } : {};
    };
    switch (failure.verdict) {
      case 'retry':
        return later(this.times.retryMs(attempts + 1), true);
      case 'rate-limited':
        return later(Math.min(Math.max(failure.afterMs ?? RATE_LIMITED_MS, 50), LONGEST_WAIT_MS), false);
      case 'credentials-refused': {
        const ending = await later(this.times.refusedMs, false);
        if (await this.store.refused(connection, why)) {
          this.metrics.disabled.inc({ adapter: connection.adapter });
          this.log.warn({ scope: 'crm', connectionId: connection.id }, 'a CRM refuses its credentials: disabled');
        }
        return { ...ending, pauseMs: this.times.refusedMs };
      }
      case 'rejected':
      case 'gone':
        return this.#refuse(claim, loaded, step, links, why);
    }
  }

  /** Nothing more is tried until the call changes or somebody asks. */
  async #refuse(
    claim: Claim,
    { connection, wanted }: Loaded,
    step: string,
    links: Links,
    why: string,
  ): Promise<Ending> {
    const isDue = await this.store.fail(claim, links, step, why, wanted);
    if (!isDue) this.metrics.failed.inc({ adapter: connection.adapter });
    return isDue ? { dueInMs: 0 } : {};
  }

  async #finish(claim: Claim, { nextAttemptAt }: Loaded, { version }: Call): Promise<Ending> {
    return (await this.store.finish(claim, version, nextAttemptAt)) ? { dueInMs: 0 } : {};
  }

  /** Null: it threw. */
  async #give(
    step: Step,
    situation: Situation,
    { connection }: Loaded,
    isCaughtUp: boolean,
  ): Promise<Verdict<DoneStep> | null> {
    const labels = { adapter: connection.adapter, step: step.step };
    const end = this.metrics.stepSeconds.startTimer(labels);
    try {
      const session = this.clients.session(connection, purposeOf(step, situation, isCaughtUp));
      const verdict = await inTime(giveStep(step, situation, session, connection, this.parts), this.times.stepMs);
      this.metrics.steps.inc({ ...labels, verdict: verdict.verdict });
      return verdict;
    } catch (error) {
      this.metrics.steps.inc({ ...labels, verdict: 'threw' });
      const where = { connectionId: connection.id, callId: situation.call.id };
      this.log.error({ scope: 'crm', ...where, ...labels, error }, 'a step of a CRM sync threw');
      return null;
    } finally {
      end();
    }
  }

  /** Settings that cannot be read can be, once the right key or version of Ringline is there. */
  #capabilities(connection: SyncedConnection): CrmCapabilities | Failure {
    try {
      return this.clients.adapterOf(connection).capabilities(this.clients.settingsOf(connection));
    } catch (error) {
      this.log.error(
        { scope: 'crm', connectionId: connection.id, error },
        'settings of a CRM connection cannot be read',
      );
      return { verdict: 'retry', why: 'The connection’s settings cannot be read; Ringline’s log tells why.' };
    }
  }

  async #situation(loaded: Loaded, call: Call): Promise<Verdict<Omit<Situation, 'popsFirst'>>> {
    const { connection, links, region, isCalledBack } = loaded;
    const { rules } = connection;
    const capabilities = this.#capabilities(connection);
    if ('verdict' in capabilities) return capabilities;
    const agentIds = [...new Set(call.participants.flatMap(({ agentId }) => agentId ?? []))];
    const session: CrmSession = this.clients.session(connection, call.endedAt === null ? 'pop' : 'close');
    const agents = await this.users.of(connection, capabilities, session, agentIds);
    if (agents.verdict !== 'done') return agents;
    const isLinked = recordingWay(capabilities, rules) === 'link';
    const recordingId = isLinked ? links.recordings?.[0] : undefined;
    const { tenantId, id: connectionId } = connection;
    const recordingUrl =
      recordingId === undefined ? null : await this.parts.recordings.findLink({ tenantId, recordingId, connectionId });
    const sought = [...soughtAgents(call)].flatMap((agentId) => agents.value.get(agentId)?.userId ?? []);
    return done({
      call,
      view: callView(call, { links, rules, agents: agents.value, region, recordingUrl }),
      links,
      capabilities,
      rules,
      region,
      sought,
      isCalledBack,
      now: new Date(this.clock.now()),
    });
  }
}

/** A step that was certainly not done has not begun; one that looks for what had begun leaves that as it is. */
function keptBegun(step: Step, links: Links): Links {
  return step.step === 'findCall' || step.step === 'findContacts' ? links : withoutBegun(links);
}

function about({ connectionId, callId }: Claim): { readonly connectionId: string; readonly callId: string } {
  return { connectionId, callId };
}
