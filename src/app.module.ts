import { Module, type DynamicModule, type OnModuleInit, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { AgentsModule } from './agents/agents.module.js';
import { AsteriskModule } from './asterisk/asterisk.module.js';
import { BlockedNumbersModule } from './blocked-numbers/blocked-numbers.module.js';
import { CallContactsModule } from './call-contacts/call-contacts.module.js';
import { ContactOfCall } from './call-contacts/contact-of-call.js';
import { AfterCommitSubscribers, type AfterCommit } from './calls/after-commit.js';
import { CallsModule } from './calls/calls.module.js';
import { CallDirector } from './calls/control/call-director.js';
import { LedgerModule } from './calls/ledger.module.js';
import { CommonModule } from './common/common.module.js';
import type { Log } from './common/logger.js';
import { ConfigModule } from './config/config.module.js';
import type { Config } from './config/config.js';
import { ContactSyncModule } from './contacts/contact-sync.module.js';
import { ContactsApiModule } from './contacts/contacts-api.module.js';
import { CrmContactsModule } from './crm/contacts/crm-contacts.module.js';
import { CrmDialingModule } from './crm-dialing/crm-dialing.module.js';
import { CrmApiModule } from './crm/crm-api.module.js';
import { DoorsModule } from './crm/doors/doors.module.js';
import { CrmSyncModule } from './crm/sync/crm-sync.module.js';
import { DatabaseModule } from './database/database.module.js';
import { HealthModule } from './health/health.module.js';
import { HttpModule } from './http/http.module.js';
import { LinesModule } from './lines/lines.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { QueueReplaysApiModule } from './outbox/queue-replays-api.module.js';
import { OutboxModule } from './outbox/outbox.module.js';
import { WakeUpModule } from './outbox/wake-up.module.js';
import { OutboxWakeUp } from './outbox/outbox-wake-up.js';
import { ScreenPop } from './screen-pop/screen-pop.js';
import { ScreenPopModule } from './screen-pop/screen-pop.module.js';
import { PbxNodesModule } from './pbx-nodes/pbx-nodes.module.js';
import { RecordingsApiModule } from './recordings/recordings-api.module.js';
import { TakeOver } from './recordings/take-over.js';
import { TakeOverModule } from './recordings/take-over.module.js';
import { TenancyModule } from './tenancy/tenancy.module.js';
import { WebhookSenderModule } from './webhooks/webhook-sender.module.js';
import { WebhooksApiModule } from './webhooks/webhooks-api.module.js';

/** What a process does. */
export type Parts = {
  /** Answers the REST API and the streams. */
  readonly api: boolean;
  /** Holds the sessions to the PBX nodes and writes the calls. */
  readonly telephony: boolean;
  /** Sends webhooks, fills the event queues and brings calls to CRMs. */
  readonly worker: boolean;
};
type Part = keyof Parts;

export const partsOfRole: Readonly<Record<Config['role'], Parts>> = {
  all: { api: true, telephony: true, worker: true },
  worker: { api: false, telephony: false, worker: true },
};

/** The one list of modules. A module stands under each part that needs it and is loaded once. */
const always: readonly Type[] = [DatabaseModule, WakeUpModule, MetricsModule, HealthModule, HttpModule];
const modulesOf: Readonly<Record<Part, readonly Type[]>> = {
  api: [
    TenancyModule,
    AgentsModule,
    LinesModule,
    BlockedNumbersModule,
    PbxNodesModule,
    CallsModule,
    RecordingsApiModule,
    ScreenPopModule,
    WebhooksApiModule,
    QueueReplaysApiModule,
    CrmApiModule,
    CrmContactsModule,
    ContactsApiModule,
    CrmDialingModule,
    DoorsModule,
  ],
  telephony: [CallContactsModule, LedgerModule, AsteriskModule, TakeOverModule],
  worker: [OutboxModule, WebhookSenderModule, CrmContactsModule, ContactSyncModule, CrmSyncModule],
};

/**
 * Who hears of a commit, in this order: pops first, because a phone is about to ring; then wake-ups; commands; what can wait last.
 * Commits happen where telephony is; a subscriber is left out where its part is not run.
 */
const afterCommit: readonly { readonly part: Part; readonly subscriber: Type<AfterCommit> }[] = [
  { part: 'api', subscriber: ScreenPop },
  { part: 'telephony', subscriber: OutboxWakeUp },
  { part: 'telephony', subscriber: CallDirector },
  { part: 'telephony', subscriber: TakeOver },
  { part: 'telephony', subscriber: ContactOfCall },
];

/** The composition root: the only place that knows every module. */
@Module({})
export class AppModule implements OnModuleInit {
  constructor(private readonly subscribers: AfterCommitSubscribers) {}

  static compose(config: Config, log: Log, parts: Parts = partsOfRole[config.role]): DynamicModule {
    const chosen = (Object.keys(modulesOf) as Part[]).filter((part) => parts[part]);
    const subscribers = afterCommit.filter(({ part }) => parts[part]).map(({ subscriber }) => subscriber);
    return {
      module: AppModule,
      // Global, so that the ledger finds the subscribers that are composed here.
      global: true,
      imports: [
        ConfigModule.of(config),
        CommonModule.of(log),
        ...new Set([...always, ...chosen.flatMap((part) => modulesOf[part])]),
      ],
      providers: [
        {
          provide: AfterCommitSubscribers,
          inject: [ModuleRef],
          useFactory: (modules: ModuleRef) => new SubscribersInOrder(modules, subscribers),
        },
      ],
      exports: [AfterCommitSubscribers],
    };
  }

  onModuleInit(): void {
    // A subscriber that no module provides has to end the boot, not the first commit.
    void this.subscribers.list;
  }
}

/** Looked up when first needed: a subscriber may itself need the ledger, which needs this list. */
class SubscribersInOrder extends AfterCommitSubscribers {
  #list: readonly AfterCommit[] | undefined;

  constructor(
    private readonly modules: ModuleRef,
    private readonly types: readonly Type<AfterCommit>[],
  ) {
    super();
  }

  get list(): readonly AfterCommit[] {
    return (this.#list ??= this.types.map((type) => this.modules.get(type, { strict: false })));
  }
}
