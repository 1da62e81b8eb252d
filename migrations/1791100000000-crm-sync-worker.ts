import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the worker of CRM syncs keeps: since when something fails, a CRM's users, and links to recordings that nobody asked for. */
export class CrmSyncWorker1791100000000 implements MigrationInterface {
  name = 'CrmSyncWorker1791100000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "crm_sync" ADD "failing_since" TIMESTAMP(3) WITH TIME ZONE`);
    await runner.query(
      `CREATE INDEX "crm_sync_open_task" ON "crm_sync"  ("tenant_id", "connection_id") WHERE (links->'task'->>'isClosed') = 'false'`,
    );
    await runner.query(
      `CREATE INDEX "crm_sync_failed" ON "crm_sync"  ("tenant_id", "connection_id", "call_id") WHERE "state" = 'failed'`,
    );
    await runner.query(`ALTER TABLE "crm_connection" ADD "refusals" integer NOT NULL DEFAULT '0'`);
    await runner.query(`ALTER TABLE "crm_connection" ADD "refused_since" TIMESTAMP(3) WITH TIME ZONE`);
    await runner.query(`ALTER TABLE "crm_connection" ADD "users_listed_at" TIMESTAMP(3) WITH TIME ZONE`);
    await runner.query(
      `CREATE TABLE "crm_user" ("tenant_id" uuid NOT NULL, "connection_id" uuid NOT NULL, "id" text NOT NULL, "name" text NOT NULL, "email" text, "extension" text, "is_active" boolean NOT NULL, CONSTRAINT "crm_user_pkey" PRIMARY KEY ("tenant_id", "connection_id", "id"))`,
    );
    await runner.query(
      `ALTER TABLE "crm_user" ADD CONSTRAINT "crm_user_connection" FOREIGN KEY ("tenant_id", "connection_id") REFERENCES "crm_connection"("tenant_id","id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await runner.query(`ALTER TABLE "recording_link" ALTER COLUMN "made_by" DROP NOT NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DELETE FROM "recording_link" WHERE "made_by" IS NULL`);
    await runner.query(`ALTER TABLE "recording_link" ALTER COLUMN "made_by" SET NOT NULL`);
    await runner.query(`DROP TABLE "crm_user"`);
    await runner.query(`ALTER TABLE "crm_connection" DROP COLUMN "users_listed_at"`);
    await runner.query(`ALTER TABLE "crm_connection" DROP COLUMN "refused_since"`);
    await runner.query(`ALTER TABLE "crm_connection" DROP COLUMN "refusals"`);
    await runner.query(`DROP INDEX "crm_sync_failed"`);
    await runner.query(`DROP INDEX "crm_sync_open_task"`);
    await runner.query(`ALTER TABLE "crm_sync" DROP COLUMN "failing_since"`);
  }
}
