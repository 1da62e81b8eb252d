import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who carries out transfers that phones ask for, by PBX node. */
export class PhoneTransfers1790400000000 implements MigrationInterface {
  name = 'PhoneTransfers1790400000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "pbx_node" ADD "phone_transfers" text NOT NULL DEFAULT 'auto'`);
    await runner.query(`ALTER TABLE "pbx_node" ALTER "phone_transfers" DROP DEFAULT`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "pbx_node" DROP COLUMN "phone_transfers"`);
  }
}
