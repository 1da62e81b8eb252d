import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Requests that CRMs send to the doors of their connections, and click-to-calls that came of them. */
export class CrmDoors1791200000000 implements MigrationInterface {
  name = 'CrmDoors1791200000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "crm_connection" ADD "door_sources" text array NOT NULL DEFAULT '{}'`);
    await runner.query(`ALTER TABLE "call_request" ALTER COLUMN "actor_key_id" DROP NOT NULL`);
    await runner.query(`ALTER TABLE "call_request" ADD "crm" jsonb`);
    await runner.query(
      `CREATE TABLE "crm_door_request" ("tenant_id" uuid NOT NULL, "connection_id" uuid NOT NULL, "key_hash" bytea NOT NULL, "received_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "claimed_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "answer" jsonb, "telling" jsonb, "tell_at" TIMESTAMP(3) WITH TIME ZONE, "tell_attempts" smallint NOT NULL DEFAULT '0', CONSTRAINT "crm_door_request_pkey" PRIMARY KEY ("tenant_id", "connection_id", "key_hash"))`,
    );
    await runner.query(`CREATE INDEX "crm_door_request_received" ON "crm_door_request"  ("received_at")`);
    await runner.query(
      `CREATE INDEX "crm_door_request_telling" ON "crm_door_request"  ("tell_at") WHERE "tell_at" IS NOT NULL`,
    );
    await runner.query(
      `ALTER TABLE "crm_door_request" ADD CONSTRAINT "crm_door_request_connection" FOREIGN KEY ("tenant_id", "connection_id") REFERENCES "crm_connection"("tenant_id","id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "crm_door_request"`);
    // Those of doors have no key to go back to; what they made stays.
    await runner.query(`DELETE FROM "call_request" WHERE "actor_key_id" IS NULL`);
    await runner.query(`ALTER TABLE "call_request" DROP COLUMN "crm"`);
    await runner.query(`ALTER TABLE "call_request" ALTER COLUMN "actor_key_id" SET NOT NULL`);
    await runner.query(`ALTER TABLE "crm_connection" DROP COLUMN "door_sources"`);
  }
}
