import { timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { uuidPattern } from '../../common/ids.js';
import { Log } from '../../common/logger.js';
import { Problem, type ProblemType } from '../../common/problems.js';
import { Database } from '../../database/database.js';
import { toProblem } from '../../http/to-problem.js';
import { CrmClients } from '../client/crm-clients.js';
import { doorHash } from '../connections/connection-secrets.js';
import { CrmConnection } from '../connections/crm-connection.entity.js';
import type { DoorRequest, DoorVerdict, DoorWish } from '../port/door.js';
import { AgentOfUser } from './agent-of-user.js';
import { ContactsNudge } from './contacts-nudge.js';
import { Dialer } from './dialer.js';
import { resultOf, type DialTelling, type DialWish, type DoorAnswer } from './door-answer.js';
import { DoorMetrics, type DoorOutcome } from './door-metrics.js';
import { DoorRequests, keyHashOf } from './door-requests.js';
import { isSource } from './door-sources.js';
import { Tries } from './door-tries.js';
import { lineNamed, lineToCallBack, readLines } from './line-of-wish.js';
import { readWish } from './read-wish.js';

/** A CRM may tell of many contacts at once; a person clicks a few times a minute. */
const REQUESTS_A_MINUTE = 300;
/** With a random part that opens nothing. */
const WRONG_A_MINUTE = 30;
/** How long a repeated request waits for what comes of the first; a click is decided in less. */
const REPEAT_WAIT_MS = 6_000;
const NO_DOOR = Buffer.alloc(32);

/** Problems in which nothing was decided: the same request may be sent again. */
const undecided: ReadonlySet<ProblemType> = new Set([
  'database-unavailable',
  'shutting-down',
  'internal-error',
  'request-in-progress',
]);
/** Problems of one agent, for which the next one may be asked. `idempotency-key-reused`: another one was asked before a crash. */
const askTheNext: ReadonlySet<ProblemType> = new Set([
  'agent-busy',
  'agent-unreachable',
  'agent-without-device',
  'node-mismatch',
  'not-found',
  'idempotency-key-reused',
]);

export type DoorOpened = { readonly answer: DoorAnswer; readonly isReplayed: boolean };

/** What CRMs ask of us by the doors of their connections. */
@Injectable()
export class DoorsService {
  readonly #requests = new Tries(REQUESTS_A_MINUTE);
  readonly #wrong = new Tries(WRONG_A_MINUTE);

  constructor(
    private readonly database: Database,
    private readonly clients: CrmClients,
    private readonly doorRequests: DoorRequests,
    private readonly agents: AgentOfUser,
    private readonly dialer: Dialer,
    private readonly contacts: ContactsNudge,
    private readonly metrics: DoorMetrics,
    private readonly log: Log,
  ) {}

  /**
   * @param source address of who sent it
   * @throws {Problem} why it was not heeded
   */
  async open(
    connectionId: string,
    random: string,
    request: DoorRequest,
    source: string | undefined,
  ): Promise<DoorOpened> {
    const connection = await this.#connection(connectionId.toLowerCase(), random);
    if (!isSource(connection.doorSources, source)) {
      this.#count('source');
      throw new Problem('source-not-allowed', { detail: 'This door takes requests from other networks only.' });
    }
    const wish = this.#wish(connection, request);
    if (wish === null) return { answer: { kind: 'done' }, isReplayed: false };

    const keyHash = keyHashOf(wish.key, request);
    if (!(await this.doorRequests.begin(connection, keyHash))) return this.#again(connection, keyHash);
    let answer: DoorAnswer;
    try {
      answer = await this.#heed(connection, wish, keyHash);
      await this.doorRequests.finish(connection, keyHash, answer, this.#telling(connection, wish, answer));
    } catch (error) {
      this.#count('failed');
      await this.doorRequests.release(connection, keyHash).catch(() => undefined);
      throw error;
    }
    this.#count(answer.kind);
    return { answer, isReplayed: false };
  }

  /** The connection whose door the random part opens. What opens nothing is answered alike, whether there is such a connection or not. */
  async #connection(connectionId: string, random: string): Promise<CrmConnection> {
    const found = uuidPattern.test(connectionId)
      ? await this.database.source.manager.findOneBy(CrmConnection, { id: connectionId })
      : null;
    const isOpen = timingSafeEqual(doorHash(random), found?.doorHash ?? NO_DOOR);
    const retryAfterSeconds = (found !== null && isOpen ? this.#requests : this.#wrong).take(connectionId);
    if (retryAfterSeconds !== null) {
      this.#count('too-many');
      throw new Problem('too-many-requests', {
        detail: 'This door was tried too often in the last minute.',
        retryAfterSeconds,
      });
    }
    if (found === null || !isOpen) {
      this.#count('unknown');
      throw new Problem('not-found', { detail: 'There is no such door.' });
    }
    return found;
  }

  /** Null: nothing is to be done. */
  #wish(connection: CrmConnection, request: DoorRequest): DoorWish | null {
    const verdict = this.#verdict(connection, request);
    switch (verdict.kind) {
      case 'ignored':
        this.#count('ignored');
        return null;
      case 'forged':
        this.#count('forged');
        throw new Problem('signature-invalid', { detail: 'What the CRM proves itself by is missing or wrong.' });
      case 'malformed':
        return this.#malformed(verdict.why);
      case 'wished': {
        const read = readWish(verdict.wish);
        return 'why' in read ? this.#malformed(read.why) : read.wish;
      }
    }
  }

  #verdict(connection: CrmConnection, request: DoorRequest): DoorVerdict {
    const adapter = this.clients.adapterOf(connection);
    if (adapter.parseInbound === undefined) return { kind: 'malformed', why: `${adapter.title} sends nothing here.` };
    try {
      return adapter.parseInbound(request, this.clients.settingsOf(connection));
    } catch (error) {
      // Bytes of a stranger are no reason to fail.
      this.log.warn({ scope: 'crm', connectionId: connection.id, error }, 'an adapter threw for what came to its door');
      return { kind: 'malformed', why: 'It cannot be read.' };
    }
  }

  #malformed(why: string): never {
    this.#count('malformed');
    throw new Problem('invalid-request', { detail: `The request is not as the CRM sends it: ${why}` });
  }

  async #again(connection: CrmConnection, keyHash: Buffer): Promise<DoorOpened> {
    const answer = await this.doorRequests.answerOf(connection, keyHash, REPEAT_WAIT_MS);
    if (answer === null) {
      throw new Problem('request-in-progress', {
        detail: 'The same request is still being decided.',
        retryAfterSeconds: 5,
      });
    }
    this.#count('replayed');
    return { answer, isReplayed: true };
  }

  /** @throws what decided nothing */
  async #heed(connection: CrmConnection, wish: DoorWish, keyHash: Buffer): Promise<DoorAnswer> {
    try {
      switch (wish.wish) {
        case 'dial':
          return { kind: 'placed', ...(await this.#dial(connection, wish, keyHash)) };
        case 'call-back':
          return { kind: 'placed', ...(await this.#callBack(connection, wish, keyHash)) };
        case 'contacts-changed':
          if (connection.status === 'enabled') await this.contacts.contactsChanged(connection.id);
          return { kind: 'done' };
      }
    } catch (error) {
      const { type, details } = toProblem(error);
      if (undecided.has(type)) throw error;
      return { kind: 'refused', problem: type, details };
    }
  }

  async #dial(connection: CrmConnection, wish: DialWish, keyHash: Buffer): Promise<{ readonly callId: string }> {
    assertEnabled(connection);
    const { tenantId, id: connectionId } = connection;
    const agent = await this.agents.find(connection, wish.userId);
    if ('why' in agent) throw new Problem('crm-user-unknown', { detail: agent.why });
    const { line, number, entity, remoteCallId } = wish;
    const lineId = line === null ? null : lineNamed(await readLines(this.database.source, tenantId), line).id;
    return this.dialer.dial({
      tenantId,
      connectionId,
      idempotencyKey: idempotencyKey(connectionId, keyHash),
      agentId: agent.agentId,
      number,
      lineId,
      entity,
      remoteCallId,
    });
  }

  /** The line's agents are asked in its order: the first who can be rung is, then the customer. */
  async #callBack(
    connection: CrmConnection,
    wish: Extract<DoorWish, { wish: 'call-back' }>,
    keyHash: Buffer,
  ): Promise<{ readonly callId: string }> {
    assertEnabled(connection);
    const { tenantId, id: connectionId } = connection;
    const line = lineToCallBack(await readLines(this.database.source, tenantId), wish.line);
    const order = {
      tenantId,
      connectionId,
      // One for all of them, so that after a crash no second one is rung for the same wish.
      idempotencyKey: idempotencyKey(connectionId, keyHash),
      number: wish.number,
      lineId: line.id,
      entity: wish.entity,
      remoteCallId: null,
    };
    let refused: unknown = new Problem('agent-unreachable', { detail: 'No agent of the line can be rung.' });
    for (const agentId of line.agent_ids) {
      try {
        return await this.dialer.dial({ ...order, agentId });
      } catch (error) {
        if (!(error instanceof Problem) || !askTheNext.has(error.type)) throw error;
        refused = error;
      }
    }
    throw refused;
  }

  #telling(connection: CrmConnection, wish: DoorWish, answer: DoorAnswer): DialTelling | null {
    const result = resultOf(answer);
    if (wish.wish !== 'dial' || result === null) return null;
    return this.clients.session(connection, 'open').tellDialled === undefined ? null : { wish, result };
  }

  #count(outcome: DoorOutcome): void {
    this.metrics.requests.inc({ outcome });
  }
}

function assertEnabled({ status }: CrmConnection): void {
  if (status === 'enabled') return;
  throw new Problem('connection-not-enabled', {
    detail: `The connection is ${status}: nothing is dialled for its CRM.`,
  });
}

function idempotencyKey(connectionId: string, keyHash: Buffer): string {
  return `door:${connectionId}:${keyHash.toString('hex')}`;
}
