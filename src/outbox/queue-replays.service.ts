import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { newId } from '../common/ids.js';
import { Problem } from '../common/problems.js';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { readPage } from '../database/read-page.js';
import type { IdPageQuery, Page } from '../http/paging.js';
import { CALL_EVENTS } from '../queues/queues.js';
import type { PlatformActor } from '../tenancy/actor.js';
import { AuditLog } from '../tenancy/audit-log.js';
import { QueueReplay } from './queue-replay.entity.js';
import type { CreateQueueReplay, QueueReplayView } from './queue-replay.schema.js';

/** Writes down that a queue is to be filled again; the relay does it, in whatever process it runs. */
@Injectable()
export class QueueReplaysService {
  constructor(
    private readonly database: Database,
    private readonly config: Config,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  list(query: IdPageQuery): Promise<Page<QueueReplayView>> {
    return readPage(this.database.source.manager, QueueReplay, {}, query, viewOf);
  }

  /** @throws {Problem} `not-found` when Ringline fills no such queue */
  create(actor: PlatformActor, { queue, from, to }: CreateQueueReplay): Promise<QueueReplayView> {
    if (![CALL_EVENTS, ...this.config.eventQueues].includes(queue)) {
      throw new Problem('not-found', { detail: 'Ringline fills no queue of this name.', field: 'queue' });
    }
    return this.database.source.transaction(async (manager) => {
      const id = newId();
      const range = { fromAt: new Date(from), toAt: to === undefined ? new Date(this.clock.now()) : new Date(to) };
      await manager.insert(QueueReplay, { id, queue, ...range, positionAt: null, positionId: null, finishedAt: null });
      await this.audit.record(manager, {
        tenantId: null,
        actorKeyId: actor.keyId,
        action: 'event-queue.replayed',
        targetType: 'event-queue',
        targetId: queue,
        detail: range,
      });
      return viewOf(await manager.findOneByOrFail(QueueReplay, { id }));
    });
  }
}

function viewOf({ id, queue, fromAt, toAt, added, createdAt, finishedAt }: QueueReplay): QueueReplayView {
  return {
    id,
    queue,
    from: fromAt.toISOString(),
    to: toAt.toISOString(),
    added,
    createdAt: createdAt.toISOString(),
    finishedAt: finishedAt?.toISOString() ?? null,
  };
}
