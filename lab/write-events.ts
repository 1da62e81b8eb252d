import type { DataSource } from 'typeorm';
import { eventParts, eventsParameter, type OutboxEvent } from '../src/outbox/outbox.js';

/** Stores events and their deliveries as the ledger does, of calls whose rows are there. */
export async function writeEvents(source: DataSource, events: readonly OutboxEvent[]): Promise<void> {
  await source.query(`with ${eventParts(1)} select`, [eventsParameter(events)]);
}
