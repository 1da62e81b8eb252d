import type { MigrationInterface, QueryRunner } from 'typeorm';

/** In which contexts of a PBX node's dial plan extensions may be dialled. */
export class ExtensionContexts1790800000000 implements MigrationInterface {
  name = 'ExtensionContexts1790800000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "pbx_node" ADD "extension_contexts" text array NOT NULL DEFAULT '{}'`);
    await runner.query(`ALTER TABLE "pbx_node" ALTER "extension_contexts" DROP DEFAULT`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "pbx_node" DROP COLUMN "extension_contexts"`);
  }
}
