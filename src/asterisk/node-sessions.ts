import type { Log } from '../common/logger.js';
import type { SecretBox } from '../common/secret-box.js';
import type { CallDirector } from '../calls/control/call-director.js';
import type { CallLedger } from '../calls/ledger/call-ledger.js';
import type { Database } from '../database/database.js';
import type { Notifications } from '../database/notifications.js';
import type { PartHealth } from '../health/health-parts.js';
import { NodeHealthSource, type NodeHealth } from '../pbx-nodes/node-health.js';
import { PbxNode } from '../pbx-nodes/pbx-node.entity.js';
import type { AsteriskMetrics } from './asterisk-metrics.js';
import { NodeSession, type Heartbeat, type NodeSettings } from './node-session.js';
import type { StreamRecorder } from './raw-stream/stream-recorder.js';

/** PostgreSQL channel: a node was added, changed or removed. */
export const NODES_CHANGED = 'ringline_nodes';
/** How often the rows are read without being told, ms. */
const REFRESH_MS = 15_000;

/** One session for each node there is, as its rows say now. */
export class NodeSessions extends NodeHealthSource {
  readonly #sessions = new Map<string, NodeSession>();
  #dependencies: { readonly ledger: CallLedger; readonly director: CallDirector } | null = null;
  #timer: NodeJS.Timeout | null = null;
  #refreshing: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(
    private readonly database: Database,
    private readonly notifications: Notifications,
    private readonly secrets: SecretBox,
    private readonly metrics: AsteriskMetrics,
    private readonly log: Log,
    private readonly recorder: StreamRecorder | null,
  ) {
    super();
  }

  find(nodeId: string): NodeSession | null {
    return this.#sessions.get(nodeId) ?? null;
  }

  healthOf(nodeId: string): NodeHealth | null {
    return this.#sessions.get(nodeId)?.health() ?? null;
  }

  parts(): readonly PartHealth[] {
    return [...this.#sessions.values()].map((session) => {
      const health = session.health();
      return {
        name: `pbx-node ${session.settings.name}`,
        status: health.status,
        detail: health.summary,
        warnings: health.warnings,
      };
    });
  }

  async start(ledger: CallLedger, director: CallDirector): Promise<void> {
    this.#dependencies = { ledger, director };
    if (this.recorder !== null) ledger.listen(this.recorder);
    await this.database.ready;
    if (this.#stopped) return;
    await this.notifications.on(NODES_CHANGED, () => void this.#refresh());
    this.#timer = setInterval(() => void this.#refresh(), REFRESH_MS);
    this.#timer.unref();
    await this.#refresh();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#refreshing;
    await Promise.all([...this.#sessions.values()].map((session) => session.stop()));
    await this.recorder?.close();
  }

  #refresh(): Promise<void> {
    this.#refreshing = this.#refreshing
      .then(() => this.#readNodes())
      .catch((error: unknown) => {
        this.log.warn({ scope: 'asterisk', error }, 'the PBX nodes could not be read');
      });
    return this.#refreshing;
  }

  async #readNodes(): Promise<void> {
    if (this.#stopped || this.#dependencies === null) return;
    const rows = await this.database.source.getRepository(PbxNode).find();
    const wanted = new Map(rows.map((row) => [row.id, this.#settings(row)]));
    for (const [id, session] of this.#sessions) {
      if (JSON.stringify(wanted.get(id) ?? null) === JSON.stringify(session.settings)) continue;
      this.#sessions.delete(id);
      await session.stop();
    }
    const { ledger, director } = this.#dependencies;
    for (const [id, settings] of wanted) {
      if (settings === null || this.#sessions.has(id)) continue;
      const session = new NodeSession(
        settings,
        ledger,
        director,
        this.#heartbeat,
        this.metrics,
        this.log,
        this.recorder,
      );
      this.#sessions.set(id, session);
      session.start();
    }
  }

  readonly #heartbeat: Heartbeat = {
    read: async (nodeId) =>
      (await this.database.source.getRepository(PbxNode).findOneBy({ id: nodeId }))?.aliveAt?.getTime() ?? null,
    write: async (nodeId, at) => {
      await this.database.source.query('update pbx_node set alive_at = $2 where id = $1', [nodeId, new Date(at)]);
    },
  };

  #settings(row: PbxNode): NodeSettings | null {
    try {
      const password = this.secrets.open(row.passwordSealed, {
        table: 'pbx_node',
        column: 'password_sealed',
        id: row.id,
      });
      const { id, name, app, observe, ariUrl, username } = row;
      return { id, name, app, observe, ariUrl, username, password };
    } catch (error) {
      this.log.error(
        { scope: 'asterisk', node: row.name, error },
        'the password of a PBX node cannot be opened; set it again',
      );
      return null;
    }
  }
}
