import type { DataSource } from 'typeorm';
import { PbxNode } from '../pbx-nodes/pbx-node.entity.js';
import type { FilePosition } from './cel/followed-file.js';

/** A run of an Asterisk, and when it began, ms by its clock. */
export type NodeRun = { readonly boot: string; readonly startedAt: number };

/** How far a node's log was read. */
export type CelPosition = FilePosition & { readonly file: string };

/** What is kept of each node over restarts. Times are ms by the switch's clock. */
export type NodeMemory = {
  /** When the node was last followed; null when it never was. */
  readonly lastAlive: (nodeId: string) => Promise<number | null>;
  readonly keepAlive: (nodeId: string, at: number) => Promise<void>;
  /** Runs that Ringline was connected to, newest first. */
  readonly runs: (nodeId: string) => Promise<readonly NodeRun[]>;
  /** Notes a run, before anything is recorded of it. */
  readonly keepRun: (nodeId: string, run: NodeRun) => Promise<void>;
  readonly celPosition: (nodeId: string) => Promise<CelPosition | null>;
  readonly keepCelPosition: (nodeId: string, position: CelPosition) => Promise<void>;
};

export function nodeMemoryIn(source: DataSource): NodeMemory {
  const row = (id: string): Promise<PbxNode | null> => source.getRepository(PbxNode).findOneBy({ id });
  return {
    lastAlive: async (nodeId) => (await row(nodeId))?.aliveAt?.getTime() ?? null,
    keepAlive: async (nodeId, at) => {
      await source.query('update pbx_node set alive_at = $2 where id = $1', [nodeId, new Date(at)]);
    },
    runs: async (nodeId) => {
      const rows: { boot: string; started_at: Date }[] = await source.query(
        'select boot, started_at from pbx_node_boot where pbx_node_id = $1 order by started_at desc',
        [nodeId],
      );
      return rows.map((run) => ({ boot: run.boot, startedAt: run.started_at.getTime() }));
    },
    keepRun: async (nodeId, { boot, startedAt }) => {
      await source.query(
        `insert into pbx_node_boot (pbx_node_id, boot, started_at)
         select id, $2, $3 from pbx_node where id = $1 on conflict do nothing`,
        [nodeId, boot, new Date(startedAt)],
      );
    },
    celPosition: async (nodeId) => ((await row(nodeId))?.celPosition ?? null) as CelPosition | null,
    keepCelPosition: async (nodeId, position) => {
      await source.query('update pbx_node set cel_position = $2 where id = $1', [nodeId, JSON.stringify(position)]);
    },
  };
}
