import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The index of CRMs' contacts by number, agents' picks, and how far each CRM's contacts have been read. */
export class Contacts1791300000000 implements MigrationInterface {
  name = 'Contacts1791300000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "contact" ("tenant_id" uuid NOT NULL, "connection_id" uuid NOT NULL, "type" text NOT NULL, "id" text NOT NULL, "kind" text NOT NULL, "name" text NOT NULL, "company" text, "owner_id" text, "url" text, "synced_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL, CONSTRAINT "contact_pkey" PRIMARY KEY ("tenant_id", "connection_id", "type", "id"))`,
    );
    await runner.query(
      `CREATE TABLE "contact_number" ("tenant_id" uuid NOT NULL, "connection_id" uuid NOT NULL, "type" text NOT NULL, "id" text NOT NULL, "place" smallint NOT NULL, "given" text NOT NULL, "e164" text, "national" text, "is_international" boolean NOT NULL, "last_digits" text, "extension" text, CONSTRAINT "contact_number_pkey" PRIMARY KEY ("tenant_id", "connection_id", "type", "id", "place"))`,
    );
    await runner.query(
      `CREATE INDEX "contact_number_e164" ON "contact_number"  ("tenant_id", "e164") WHERE "e164" is not null`,
    );
    await runner.query(
      `CREATE INDEX "contact_number_national" ON "contact_number"  ("tenant_id", "national") WHERE "national" is not null`,
    );
    await runner.query(
      `CREATE INDEX "contact_number_last_digits" ON "contact_number"  ("tenant_id", "last_digits") WHERE "last_digits" is not null`,
    );
    await runner.query(
      `CREATE INDEX "contact_number_extension" ON "contact_number"  ("tenant_id", "extension") WHERE "e164" is null and "extension" is not null`,
    );
    await runner.query(
      `CREATE TABLE "contact_pick" ("tenant_id" uuid NOT NULL, "call_id" uuid NOT NULL, "connection_id" uuid NOT NULL, "number" text, "type" text NOT NULL, "id" text NOT NULL, "picked_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL, CONSTRAINT "contact_pick_pkey" PRIMARY KEY ("tenant_id", "call_id", "connection_id"))`,
    );
    await runner.query(
      `CREATE INDEX "contact_pick_number" ON "contact_pick"  ("tenant_id", "number", "connection_id", "picked_at") WHERE "number" is not null`,
    );
    await runner.query(`CREATE INDEX "contact_pick_by_connection" ON "contact_pick"  ("tenant_id", "connection_id")`);
    await runner.query(
      `CREATE TABLE "contact_sync" ("tenant_id" uuid NOT NULL, "connection_id" uuid NOT NULL, "cursor" text, "next_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "is_nudged" boolean NOT NULL DEFAULT false, "completed_at" TIMESTAMP(3) WITH TIME ZONE, "attempts" integer NOT NULL DEFAULT '0', "failure" text, "claimed_by" uuid, "claim_until" TIMESTAMP(3) WITH TIME ZONE, CONSTRAINT "contact_sync_pkey" PRIMARY KEY ("tenant_id", "connection_id"))`,
    );
    await runner.query(`CREATE INDEX "contact_sync_due" ON "contact_sync"  ("next_at")`);
    await runner.query(
      `ALTER TABLE "contact" ADD CONSTRAINT "contact_connection" FOREIGN KEY ("tenant_id", "connection_id") REFERENCES "crm_connection"("tenant_id","id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await runner.query(
      `ALTER TABLE "contact_number" ADD CONSTRAINT "contact_number_contact" FOREIGN KEY ("tenant_id", "connection_id", "type", "id") REFERENCES "contact"("tenant_id","connection_id","type","id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await runner.query(
      `ALTER TABLE "contact_pick" ADD CONSTRAINT "contact_pick_call" FOREIGN KEY ("tenant_id", "call_id") REFERENCES "call"("tenant_id","id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await runner.query(
      `ALTER TABLE "contact_pick" ADD CONSTRAINT "contact_pick_connection" FOREIGN KEY ("tenant_id", "connection_id") REFERENCES "crm_connection"("tenant_id","id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await runner.query(
      `ALTER TABLE "contact_sync" ADD CONSTRAINT "contact_sync_connection" FOREIGN KEY ("tenant_id", "connection_id") REFERENCES "crm_connection"("tenant_id","id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "contact_sync", "contact_pick", "contact_number", "contact"`);
  }
}
