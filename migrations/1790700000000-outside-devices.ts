import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Outside numbers as devices of agents. */
export class OutsideDevices1790700000000 implements MigrationInterface {
  name = 'OutsideDevices1790700000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "device" ALTER COLUMN "pbx_node_id" DROP NOT NULL`);
    await runner.query(`ALTER TABLE "device" ALTER COLUMN "endpoint" DROP NOT NULL`);
    await runner.query(`ALTER TABLE "device" ADD "number" text`);
    await runner.query(`ALTER TABLE "device" ADD "confirm" text`);
    await runner.query(`CREATE UNIQUE INDEX "device_number" ON "device"  ("tenant_id", "number")`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DELETE FROM "device" WHERE "kind" = 'number'`);
    await runner.query(`DROP INDEX "device_number"`);
    await runner.query(`ALTER TABLE "device" DROP COLUMN "confirm"`);
    await runner.query(`ALTER TABLE "device" DROP COLUMN "number"`);
    await runner.query(`ALTER TABLE "device" ALTER COLUMN "endpoint" SET NOT NULL`);
    await runner.query(`ALTER TABLE "device" ALTER COLUMN "pbx_node_id" SET NOT NULL`);
  }
}
