import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Every delivery is claimed once at least, which touches no index. A page with room takes the claim in place; in a full one
 * each index gets another entry.
 */
export class RoomForClaims1790900000000 implements MigrationInterface {
  name = 'RoomForClaims1790900000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "delivery" SET (fillfactor = 60)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "delivery" RESET (fillfactor)`);
  }
}
