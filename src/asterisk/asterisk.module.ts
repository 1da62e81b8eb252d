import { Global, Inject, Module, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { AfterCommitSubscribers } from '../calls/after-commit.js';
import { CallDirector } from '../calls/control/call-director.js';
import { RequestIntake } from '../calls/control/request-intake.js';
import { CallLedger } from '../calls/ledger/call-ledger.js';
import { ledgerHealth } from '../calls/ledger/ledger-health.js';
import { RequestDecisions } from '../calls/request-decisions.js';
import { TelephonySwitch } from '../calls/telephony-switch.js';
import { TransferTargets } from '../calls/transfer-targets.js';
import { Log } from '../common/logger.js';
import { SecretBox } from '../common/secret-box.js';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { Notifications } from '../database/notifications.js';
import { HealthParts } from '../health/health-parts.js';
import { Metrics } from '../metrics/metrics.js';
import { CelIntake } from '../pbx-nodes/cel-intake.js';
import { NodeHealthSource } from '../pbx-nodes/node-health.js';
import { RecordedFiles } from '../recordings/recorded-files.js';
import { AsteriskMetrics } from './asterisk-metrics.js';
import { AsteriskRecordedFiles } from './asterisk-recorded-files.js';
import { AsteriskSwitch } from './asterisk.switch.js';
import { NodeSessions } from './node-sessions.js';
import { StreamRecorder } from './raw-stream/stream-recorder.js';

/** How long a stop may take to give callers back, and to store what is known, ms. Callers in silence wait for it. */
const GIVE_BACK_MS = 1_500;
const STORE_MS = 2_000;

/** The telephony part: sessions to the PBX nodes, and what follows calls there. */
@Global()
@Module({
  providers: [
    {
      provide: NodeSessions,
      inject: [Database, Notifications, SecretBox, Metrics, Log, Config],
      useFactory: (
        database: Database,
        notifications: Notifications,
        secrets: SecretBox,
        metrics: Metrics,
        log: Log,
        { recordAri }: Config,
      ) => {
        const own: AsteriskMetrics = new AsteriskMetrics(
          metrics,
          () => sessions.celLagSeconds,
          () => sessions.commandSeconds,
        );
        const recorder = recordAri === undefined ? null : new StreamRecorder(recordAri, own, log);
        const sessions = new NodeSessions(database, notifications, secrets, own, log, recorder);
        return sessions;
      },
    },
    { provide: NodeHealthSource, useExisting: NodeSessions },
    { provide: CelIntake, useExisting: NodeSessions },
    {
      provide: TelephonySwitch,
      inject: [NodeSessions],
      useFactory: (sessions: NodeSessions) => new AsteriskSwitch(sessions),
    },
    {
      provide: RecordedFiles,
      inject: [NodeSessions],
      useFactory: (sessions: NodeSessions) => new AsteriskRecordedFiles(sessions),
    },
    {
      provide: CallDirector,
      inject: [CallLedger, TelephonySwitch, TransferTargets, Log],
      useFactory: (ledger: CallLedger, telephony: TelephonySwitch, targets: TransferTargets, log: Log) =>
        new CallDirector(ledger, telephony, targets, log),
    },
    {
      provide: RequestIntake,
      inject: [Database, Notifications, CallLedger, TelephonySwitch, Log],
      useFactory: (
        { source }: Database,
        notifications: Notifications,
        ledger: CallLedger,
        telephony: TelephonySwitch,
        log: Log,
      ) => new RequestIntake(source, notifications, ledger, telephony, log),
    },
  ],
  exports: [NodeHealthSource, CelIntake, CallDirector, RecordedFiles, TelephonySwitch],
})
export class AsteriskModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    @Inject(NodeSessions) private readonly sessions: NodeSessions,
    @Inject(CallLedger) private readonly ledger: CallLedger,
    @Inject(CallDirector) private readonly director: CallDirector,
    @Inject(RequestIntake) private readonly intake: RequestIntake,
    @Inject(RequestDecisions) private readonly decisions: RequestDecisions,
    @Inject(AfterCommitSubscribers) private readonly subscribers: AfterCommitSubscribers,
    @Inject(Database) private readonly database: Database,
    @Inject(HealthParts) health: HealthParts,
  ) {
    health.register(() => [ledgerHealth(this.ledger), ...this.sessions.parts()]);
  }

  onApplicationBootstrap(): void {
    this.ledger.subscribe(
      this.subscribers.list,
      ({ nodeId, leg }) => void this.director.handBack(nodeId, leg),
      (call) => this.director.nextRecords(call),
    );
    // Nothing here may hold up the start: the database may come later.
    void this.database.ready.then(async () => {
      await this.decisions.start();
      await this.intake.start();
      await this.sessions.start(this.ledger, this.director);
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.intake.stop();
    await this.director.stop(GIVE_BACK_MS);
    await this.sessions.stop();
    await this.ledger.stop(STORE_MS);
  }
}
