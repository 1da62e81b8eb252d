import { z } from 'zod';
import { instantSchema } from '../http/instant.js';

/** How the connection to one Asterisk is, and what was found there. A person reads it to know what to do. */
export const nodeHealthSchema = z
  .strictObject({
    status: z.enum(['up', 'degraded', 'down']).meta({
      description: '`degraded`: calls work, something in `warnings` does not. `down`: no call can be placed or taken.',
    }),
    summary: z.string().meta({ description: 'The state in one sentence.' }),
    app: z.string().meta({ description: 'The ARI app that Ringline registers.' }),
    version: z.string().nullable().meta({ description: 'Of Asterisk.' }),
    startedAt: instantSchema.nullable().meta({ description: 'When Asterisk started.' }),
    connectedAt: instantSchema.nullable().meta({ description: 'Since when events come; null while they do not.' }),
    lastError: z
      .strictObject({ at: instantSchema, detail: z.string() })
      .nullable()
      .meta({ description: 'The newest failure of the connection, also when it works again.' }),
    modules: z
      .array(z.strictObject({ name: z.string(), running: z.boolean() }))
      .meta({ description: 'Modules of Asterisk that Ringline needs.' }),
    phoneTransfers: z
      .enum(['ringline', 'pbx'])
      .nullable()
      .meta({ description: 'Who carries out transfers that phones ask for; null while that is not known.' }),
    warnings: z.array(
      z.strictObject({
        code: z.string().meta({ description: 'Stable name of what is wrong.' }),
        detail: z.string(),
        remedy: z.string().meta({ description: 'What the administrator of the PBX can do.' }),
      }),
    ),
  })
  .meta({ id: 'NodeHealth' });
export type NodeHealth = z.output<typeof nodeHealthSchema>;

/** Where the health of nodes is known: the process part that holds the sessions. A provider token. */
export abstract class NodeHealthSource {
  /** What is known now, without asking the node; null when there is no session for it (yet). */
  abstract healthOf(nodeId: string): NodeHealth | null;
}

export function notConnected(app: string): NodeHealth {
  return {
    status: 'down',
    summary: 'Ringline has not connected to this node yet.',
    app,
    version: null,
    startedAt: null,
    connectedAt: null,
    lastError: null,
    modules: [],
    phoneTransfers: null,
    warnings: [],
  };
}
