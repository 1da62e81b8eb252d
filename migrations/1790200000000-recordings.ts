import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Recordings of calls, links to them, and whether a line's calls are recorded. */
export class Recordings1790200000000 implements MigrationInterface {
  name = 'Recordings1790200000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "line" ADD "recording_mode" text NOT NULL DEFAULT 'off'`);
    await runner.query(
      `CREATE TABLE "recording" ("tenant_id" uuid NOT NULL, "id" uuid NOT NULL, "call_id" uuid NOT NULL, "pbx_node_id" uuid NOT NULL, "planned_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "finished_at" TIMESTAMP(3) WITH TIME ZONE, "told_seconds" integer, "state" text NOT NULL, "attempts" integer NOT NULL DEFAULT '0', "next_attempt_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "claimed_by" uuid, "claim_until" TIMESTAMP(3) WITH TIME ZONE, "failure" text, "bytes" integer, "duration_ms" integer, "digest" bytea, CONSTRAINT "recording_pkey" PRIMARY KEY ("tenant_id", "id"))`,
    );
    await runner.query(
      `CREATE INDEX "recording_due" ON "recording"  ("next_attempt_at") WHERE "state" in ('recording', 'finished', 'fetching', 'stored', 'erasing')`,
    );
    await runner.query(`CREATE INDEX "recording_call" ON "recording"  ("tenant_id", "call_id")`);
    await runner.query(
      `CREATE TABLE "recording_link" ("tenant_id" uuid NOT NULL, "id" uuid NOT NULL, "recording_id" uuid NOT NULL, "token_hash" bytea NOT NULL, "made_by" uuid NOT NULL, "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "recording_link_pkey" PRIMARY KEY ("tenant_id", "id"))`,
    );
    await runner.query(`CREATE UNIQUE INDEX "recording_link_token" ON "recording_link"  ("token_hash")`);
    await runner.query(`CREATE INDEX "recording_link_recording" ON "recording_link"  ("tenant_id", "recording_id")`);
    await runner.query(
      `ALTER TABLE "recording" ADD CONSTRAINT "recording_of_call" FOREIGN KEY ("tenant_id", "call_id") REFERENCES "call"("tenant_id","id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await runner.query(
      `ALTER TABLE "recording_link" ADD CONSTRAINT "recording_link_of" FOREIGN KEY ("tenant_id", "recording_id") REFERENCES "recording"("tenant_id","id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table "recording_link", "recording"`);
    await runner.query(`ALTER TABLE "line" DROP COLUMN "recording_mode"`);
  }
}
