import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { newId } from '../common/ids.js';
import { Problem } from '../common/problems.js';
import { SecretBox } from '../common/secret-box.js';
import { Database } from '../database/database.js';
import { GuardedClient } from '../egress/guarded-client.js';
import type { Actor } from '../tenancy/actor.js';
import { TEST_EVENT, endpointEvent } from './endpoint-event.js';
import { openKey } from './endpoint-secret.js';
import { findEndpoint } from './find-endpoint.js';
import type { WebhookTestView } from './webhook-endpoint.schema.js';
import { tryOf, webhookRequest } from './webhook-request.js';

/** From one test of an endpoint to its next, ms: nobody scans with it, and nobody floods a receiver. */
const TEST_EVERY_MS = 2_000;

/** Sends one event to an endpoint and tells what came of it, also to one that is paused or disabled. */
@Injectable()
export class EndpointTests {
  /** When the last test of each endpoint began, ms; only those that still hold the next one up. */
  readonly #begun = new Map<string, number>();

  constructor(
    private readonly database: Database,
    private readonly secretBox: SecretBox,
    private readonly client: GuardedClient,
    private readonly clock: Clock,
  ) {}

  /** @throws {Problem} `too-many-tests` */
  async run({ tenantId }: Actor, id: string): Promise<WebhookTestView> {
    const endpoint = await findEndpoint(this.database.source.manager, tenantId, id);
    this.#admit(id);
    const eventId = newId();
    const event = endpointEvent(TEST_EVENT, { id: eventId, at: this.clock.now() }, endpoint);
    const key = openKey(this.secretBox, endpoint.secretSealed, tenantId, id);
    const message = { id: eventId, document: JSON.stringify(event), isReplay: false };
    const startedAt = new Date(this.clock.now()).toISOString();
    const outcome = await this.client.send(webhookRequest(endpoint.url, [key], message, this.clock.now()));
    const { durationMs, status, error, excerpt } = tryOf(outcome);
    return { event, startedAt, durationMs, status, error, responseExcerpt: excerpt };
  }

  #admit(id: string): void {
    const now = this.clock.now();
    for (const [other, at] of this.#begun) if (now - at >= TEST_EVERY_MS) this.#begun.delete(other);
    if (this.#begun.has(id)) {
      const detail = 'This endpoint was tested a moment ago.';
      throw new Problem('too-many-tests', { detail, retryAfterSeconds: TEST_EVERY_MS / 1000 });
    }
    this.#begun.set(id, now);
  }
}
