import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Endpoints: a secret on its way out, and how long one has been failing. Events that are about an endpoint and no call.
 * Deliveries: replays, the newest that wait, the dead. Queues that are filled again from a time on.
 */
export class WebhookTrust1790500000000 implements MigrationInterface {
  name = 'WebhookTrust1790500000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `ALTER TABLE "webhook_endpoint" ADD "previous_secret_sealed" text, ADD "previous_secret_until" TIMESTAMP(3) WITH TIME ZONE, ADD "failing_since" TIMESTAMP(3) WITH TIME ZONE, ADD "failed_at" TIMESTAMP(3) WITH TIME ZONE, ADD "failures" integer NOT NULL DEFAULT '0', ADD "failing_told" boolean NOT NULL DEFAULT false`,
    );
    await runner.query(`ALTER TABLE "call_event" ALTER COLUMN "call_id" DROP NOT NULL`);
    await runner.query(
      `ALTER TABLE "delivery" ADD "replays" integer NOT NULL DEFAULT '0', ADD "attempts_before_replay" integer NOT NULL DEFAULT '0'`,
    );
    await runner.query(
      `CREATE INDEX "delivery_newest" ON "delivery"  ("endpoint_id", "id") WHERE "status" = 'pending'`,
    );
    await runner.query(`CREATE INDEX "delivery_dead" ON "delivery"  ("endpoint_id", "id") WHERE "status" = 'dead'`);
    await runner.query(
      `CREATE TABLE "queue_replay" ("id" uuid NOT NULL, "queue" text NOT NULL, "from_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "to_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "position_at" TIMESTAMP(3) WITH TIME ZONE, "position_id" uuid, "added" integer NOT NULL DEFAULT '0', "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(), "finished_at" TIMESTAMP(3) WITH TIME ZONE, CONSTRAINT "queue_replay_pkey" PRIMARY KEY ("id"))`,
    );
    await runner.query(`CREATE INDEX "queue_replay_open" ON "queue_replay"  ("id") WHERE "finished_at" is null`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "queue_replay"`);
    await runner.query(`DROP INDEX "delivery_dead", "delivery_newest"`);
    await runner.query(`ALTER TABLE "delivery" DROP COLUMN "replays", DROP COLUMN "attempts_before_replay"`);
    await runner.query(`DELETE FROM "call_event" WHERE "call_id" is null`);
    await runner.query(`ALTER TABLE "call_event" ALTER COLUMN "call_id" SET NOT NULL`);
    await runner.query(
      `ALTER TABLE "webhook_endpoint" DROP COLUMN "previous_secret_sealed", DROP COLUMN "previous_secret_until", DROP COLUMN "failing_since", DROP COLUMN "failed_at", DROP COLUMN "failures", DROP COLUMN "failing_told"`,
    );
  }
}
