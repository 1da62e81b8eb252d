import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Asterisk's channel event log: where it is, how far it was read, which runs wrote it, and keys that may send it. */
export class Cel1790300000000 implements MigrationInterface {
  name = 'Cel1790300000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "pbx_node" ADD "cel_file" text, ADD "cel_position" jsonb`);
    await runner.query(`ALTER TABLE "api_key" ADD "pbx_node_id" uuid`);
    await runner.query(
      `CREATE TABLE "pbx_node_boot" ("pbx_node_id" uuid NOT NULL, "boot" text NOT NULL, "started_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL, CONSTRAINT "pbx_node_boot_pkey" PRIMARY KEY ("pbx_node_id", "boot"))`,
    );
    await runner.query(
      `ALTER TABLE "pbx_node_boot" ADD CONSTRAINT "pbx_node_boot_pbx_node" FOREIGN KEY ("pbx_node_id") REFERENCES "pbx_node"("id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await runner.query(
      `ALTER TABLE "api_key" ADD CONSTRAINT "api_key_pbx_node" FOREIGN KEY ("pbx_node_id") REFERENCES "pbx_node"("id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "api_key" DROP COLUMN "pbx_node_id"`);
    await runner.query(`DROP TABLE "pbx_node_boot"`);
    await runner.query(`ALTER TABLE "pbx_node" DROP COLUMN "cel_file", DROP COLUMN "cel_position"`);
  }
}
