import type { MigrationInterface, QueryRunner } from 'typeorm';

export class BlockedNumbers1790100000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "blocked_number" ("tenant_id" uuid NOT NULL, "id" uuid NOT NULL, "pattern" text NOT NULL, "reason" text, "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "blocked_number_pkey" PRIMARY KEY ("tenant_id", "id"))`,
    );
    await runner.query(`CREATE UNIQUE INDEX "blocked_number_pattern" ON "blocked_number"  ("tenant_id", "pattern")`);
    await runner.query(
      `ALTER TABLE "blocked_number" ADD CONSTRAINT "blocked_number_tenant" FOREIGN KEY ("tenant_id") REFERENCES "tenant"("id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table "blocked_number"`);
  }
}
