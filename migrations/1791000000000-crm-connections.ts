import type { MigrationInterface, QueryRunner } from 'typeorm';

/** CRM connections, the tokens they were given, and what of each call their CRM has. */
export class CrmConnections1791000000000 implements MigrationInterface {
  name = 'CrmConnections1791000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "crm_connection" ("tenant_id" uuid NOT NULL, "id" uuid NOT NULL, "adapter" text NOT NULL, "name" text NOT NULL, "status" text NOT NULL, "status_reason" text, "settings" jsonb NOT NULL, "secrets_sealed" text, "door_hash" bytea NOT NULL, "rules" jsonb NOT NULL, "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(), "updated_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "crm_connection_pkey" PRIMARY KEY ("tenant_id", "id"))`,
    );
    await runner.query(`CREATE UNIQUE INDEX "crm_connection_id" ON "crm_connection"  ("id")`);
    await runner.query(
      `ALTER TABLE "crm_connection" ADD CONSTRAINT "crm_connection_tenant" FOREIGN KEY ("tenant_id") REFERENCES "tenant"("id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await runner.query(
      `CREATE TABLE "crm_token" ("tenant_id" uuid NOT NULL, "connection_id" uuid NOT NULL, "sealed" text, CONSTRAINT "crm_token_pkey" PRIMARY KEY ("tenant_id", "connection_id"))`,
    );
    await runner.query(
      `ALTER TABLE "crm_token" ADD CONSTRAINT "crm_token_connection" FOREIGN KEY ("tenant_id", "connection_id") REFERENCES "crm_connection"("tenant_id","id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await runner.query(
      `CREATE TABLE "crm_sync" ("tenant_id" uuid NOT NULL, "connection_id" uuid NOT NULL, "call_id" uuid NOT NULL, "state" text NOT NULL, "wanted" integer NOT NULL, "has" integer NOT NULL DEFAULT '0', "links" jsonb NOT NULL DEFAULT '{}', "priority" smallint NOT NULL, "attempts" integer NOT NULL DEFAULT '0', "next_attempt_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "claimed_by" uuid, "claim_until" TIMESTAMP(3) WITH TIME ZONE, "failed_step" text, "failure" text, "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(), "updated_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "crm_sync_pkey" PRIMARY KEY ("tenant_id", "connection_id", "call_id"))`,
    );
    await runner.query(
      `CREATE INDEX "crm_sync_due" ON "crm_sync"  ("connection_id", "priority", "next_attempt_at") WHERE "state" = 'due'`,
    );
    await runner.query(`CREATE INDEX "crm_sync_call" ON "crm_sync"  ("tenant_id", "call_id")`);
    await runner.query(
      `ALTER TABLE "crm_sync" ADD CONSTRAINT "crm_sync_connection" FOREIGN KEY ("tenant_id", "connection_id") REFERENCES "crm_connection"("tenant_id","id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "crm_sync", "crm_token", "crm_connection"`);
  }
}
