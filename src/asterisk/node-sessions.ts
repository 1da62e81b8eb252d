import type { Log } from '../common/logger.js';
import { Problem } from '../common/problems.js';
import type { SecretBox } from '../common/secret-box.js';
import type { CallDirector } from '../calls/control/call-director.js';
import type { CallLedger } from '../calls/ledger/call-ledger.js';
import type { Database } from '../database/database.js';
import type { Notifications } from '../database/notifications.js';
import type { PartHealth } from '../health/health-parts.js';
import type { CelIntake } from '../pbx-nodes/cel-intake.js';
import type { CelAnswer } from '../pbx-nodes/cel.schema.js';
import { NodeHealthSource, type NodeHealth } from '../pbx-nodes/node-health.js';
import { PbxNode } from '../pbx-nodes/pbx-node.entity.js';
import type { AsteriskMetrics } from './asterisk-metrics.js';
import { nodeMemoryIn } from './node-memory.js';
import { NodeSession, type NodeSettings } from './node-session.js';
import type { StreamRecorder } from './raw-stream/stream-recorder.js';

/** PostgreSQL channel: a node was added, changed or removed. */
export const NODES_CHANGED = 'ringline_nodes';
/** How often the rows are read without being told, ms. */
const REFRESH_MS = 15_000;

/** One session for each node there is, as its rows say now. */
export class NodeSessions extends NodeHealthSource implements CelIntake {
  readonly #sessions = new Map<string, NodeSession>();
  /** Nodes whose sent lines are being stored. */
  readonly #taking = new Set<string>();
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

  /** How long ago the log that is furthest behind was read to its end, seconds. */
  get celLagSeconds(): number {
    return Math.max(0, ...[...this.#sessions.values()].map(({ cel }) => cel.lagSeconds));
  }

  get commandSeconds(): number {
    return Math.max(0, ...[...this.#sessions.values()].map(({ commands }) => commands.delayMs)) / 1000;
  }

  async takeCel(nodeId: string, lines: readonly string[]): Promise<CelAnswer> {
    const session = this.#sessions.get(nodeId);
    if (session === undefined) {
      throw new Problem('cel-not-taken', {
        detail: 'Ringline has no session with this PBX node; see its health.',
        retryAfterSeconds: 5,
      });
    }
    // One request's lines at a time are all that may pile up in memory.
    if (this.#taking.has(nodeId)) {
      throw new Problem('cel-busy', { detail: 'The request before is not answered yet.', retryAfterSeconds: 1 });
    }
    this.#taking.add(nodeId);
    try {
      return await session.cel.take(lines);
    } finally {
      this.#taking.delete(nodeId);
    }
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
    const memory = nodeMemoryIn(this.database.source);
    for (const [id, settings] of wanted) {
      if (settings === null || this.#sessions.has(id)) continue;
      const session = new NodeSession(settings, ledger, director, memory, this.metrics, this.log, this.recorder);
      this.#sessions.set(id, session);
      session.start();
    }
    for (const { id, celFile } of rows) await this.#sessions.get(id)?.cel.follow(celFile);
  }

  #settings(row: PbxNode): NodeSettings | null {
    try {
      const password = this.secrets.open(row.passwordSealed, {
        table: 'pbx_node',
        column: 'password_sealed',
        id: row.id,
      });
      const { id, name, app, observe, phoneTransfers, ariUrl, username } = row;
      return { id, name, app, observe, phoneTransfers, ariUrl, username, password };
    } catch (error) {
      this.log.error(
        { scope: 'asterisk', node: row.name, error },
        'the password of a PBX node cannot be opened; set it again',
      );
      return null;
    }
  }
}
