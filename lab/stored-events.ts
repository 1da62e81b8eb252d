import { createDataSource } from '../src/database/data-source.js';
import type { CallEvent } from '../src/calls/domain/call-event.js';

/** The events of a call as they are stored, in their order. */
export async function storedEvents(databaseUrl: string, callId: string): Promise<readonly CallEvent[]> {
  const source = createDataSource(databaseUrl);
  await source.initialize();
  try {
    const rows: { document: string }[] = await source.query(
      'select document from call_event where call_id = $1 order by sequence',
      [callId],
    );
    return rows.map(({ document }) => JSON.parse(document) as CallEvent);
  } finally {
    await source.destroy();
  }
}
