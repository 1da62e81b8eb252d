import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Initial1790000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "tenant" ("id" uuid NOT NULL, "name" text NOT NULL, "region" character(2) NOT NULL, "dial_rules" jsonb NOT NULL, "limits" jsonb NOT NULL, "retention" jsonb NOT NULL, "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(), "updated_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "tenant_pkey" PRIMARY KEY ("id"))`,
    );
    await runner.query(
      `CREATE TABLE "agent" ("tenant_id" uuid NOT NULL, "id" uuid NOT NULL, "name" text NOT NULL, "email" text, "crm_users" jsonb NOT NULL, "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(), "updated_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "agent_pkey" PRIMARY KEY ("tenant_id", "id"))`,
    );
    await runner.query(
      `CREATE TABLE "pbx_node" ("id" uuid NOT NULL, "name" text NOT NULL, "ari_url" text NOT NULL, "username" text NOT NULL, "password_sealed" text NOT NULL, "app" text NOT NULL, "observe" boolean NOT NULL, "tenant_ids" uuid array NOT NULL, "default_tenant_id" uuid, "alive_at" TIMESTAMP(3) WITH TIME ZONE, "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(), "updated_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "pbx_node_pkey" PRIMARY KEY ("id"))`,
    );
    await runner.query(`CREATE UNIQUE INDEX "pbx_node_name" ON "pbx_node"  ("name")`);
    await runner.query(
      `CREATE TABLE "device" ("tenant_id" uuid NOT NULL, "id" uuid NOT NULL, "agent_id" uuid NOT NULL, "kind" text NOT NULL, "pbx_node_id" uuid NOT NULL, "endpoint" text NOT NULL, "auto_answer" text NOT NULL, "position" integer NOT NULL, CONSTRAINT "device_pkey" PRIMARY KEY ("tenant_id", "id"))`,
    );
    await runner.query(`CREATE INDEX "device_by_agent" ON "device"  ("tenant_id", "agent_id")`);
    await runner.query(`CREATE UNIQUE INDEX "device_endpoint" ON "device"  ("pbx_node_id", "endpoint")`);
    await runner.query(
      `CREATE TABLE "call" ("tenant_id" uuid NOT NULL, "id" uuid NOT NULL, "pbx_node_id" uuid NOT NULL, "boot" text NOT NULL, "direction" text NOT NULL, "status" text NOT NULL, "outcome" text, "remote_e164" text, "agent_ids" uuid array NOT NULL, "started_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "ended_at" TIMESTAMP(3) WITH TIME ZONE, "version" integer NOT NULL, "document" jsonb NOT NULL, "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(), "updated_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "call_pkey" PRIMARY KEY ("tenant_id", "id"))`,
    );
    await runner.query(`CREATE INDEX "call_open" ON "call"  ("pbx_node_id") WHERE "ended_at" is null`);
    await runner.query(`CREATE INDEX "call_remote" ON "call"  ("tenant_id", "remote_e164", "started_at")`);
    await runner.query(`CREATE INDEX "call_history" ON "call"  ("tenant_id", "started_at", "id")`);
    await runner.query(
      `CREATE TABLE "call_leg" ("pbx_node_id" uuid NOT NULL, "boot" text NOT NULL, "leg" text NOT NULL, "tenant_id" uuid NOT NULL, "call_id" uuid NOT NULL, CONSTRAINT "call_leg_pkey" PRIMARY KEY ("pbx_node_id", "boot", "leg"))`,
    );
    await runner.query(`CREATE INDEX "call_leg_by_call" ON "call_leg"  ("tenant_id", "call_id")`);
    await runner.query(
      `CREATE TABLE "call_fact" ("pbx_node_id" uuid NOT NULL, "boot" text NOT NULL, "leg" text NOT NULL, "kind" text NOT NULL, "key" text NOT NULL, "at" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "source" text NOT NULL, "data" jsonb NOT NULL, CONSTRAINT "call_fact_pkey" PRIMARY KEY ("pbx_node_id", "boot", "leg", "kind", "key"))`,
    );
    await runner.query(
      `CREATE TABLE "call_request" ("tenant_id" uuid NOT NULL, "idempotency_key" text NOT NULL, "body_hash" bytea NOT NULL, "call_id" uuid NOT NULL, "agent_id" uuid NOT NULL, "pbx_node_id" uuid NOT NULL, "state" text NOT NULL, "actor_key_id" uuid NOT NULL, "refusal" jsonb, "open" boolean NOT NULL, "plan" jsonb NOT NULL, "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "call_request_pkey" PRIMARY KEY ("tenant_id", "idempotency_key"))`,
    );
    await runner.query(`CREATE UNIQUE INDEX "call_request_call" ON "call_request"  ("call_id")`);
    await runner.query(`CREATE INDEX "call_request_hour" ON "call_request"  ("tenant_id", "created_at")`);
    await runner.query(
      `CREATE INDEX "call_request_deciding" ON "call_request"  ("pbx_node_id") WHERE "state" = 'deciding'`,
    );
    await runner.query(
      `CREATE UNIQUE INDEX "call_request_open_agent" ON "call_request"  ("tenant_id", "agent_id") WHERE "open"`,
    );
    await runner.query(
      `CREATE TABLE "line" ("tenant_id" uuid NOT NULL, "id" uuid NOT NULL, "pbx_node_id" uuid NOT NULL, "number" text NOT NULL, "did" text NOT NULL, "name" text NOT NULL, "target" jsonb NOT NULL, "outbound" jsonb, "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(), "updated_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "line_pkey" PRIMARY KEY ("tenant_id", "id"))`,
    );
    await runner.query(`CREATE UNIQUE INDEX "line_did" ON "line"  ("pbx_node_id", "did")`);
    await runner.query(
      `CREATE TABLE "call_event" ("tenant_id" uuid NOT NULL, "id" uuid NOT NULL, "call_id" uuid NOT NULL, "type" text NOT NULL, "sequence" integer NOT NULL, "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "document" text NOT NULL, "relayed_at" TIMESTAMP(3) WITH TIME ZONE, CONSTRAINT "call_event_pkey" PRIMARY KEY ("tenant_id", "id"))`,
    );
    await runner.query(`CREATE INDEX "call_event_created" ON "call_event"  ("created_at")`);
    await runner.query(
      `CREATE INDEX "call_event_unrelayed" ON "call_event"  ("created_at") WHERE "relayed_at" is null`,
    );
    await runner.query(
      `CREATE UNIQUE INDEX "call_event_sequence" ON "call_event"  ("tenant_id", "call_id", "sequence")`,
    );
    await runner.query(
      `CREATE TABLE "stream_token" ("tenant_id" uuid NOT NULL, "id" uuid NOT NULL, "agent_id" uuid NOT NULL, "api_key_id" uuid, "token_hash" bytea NOT NULL, "origin" text, "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(), "expires_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "revoked_at" TIMESTAMP(3) WITH TIME ZONE, CONSTRAINT "stream_token_pkey" PRIMARY KEY ("tenant_id", "id"))`,
    );
    await runner.query(`CREATE UNIQUE INDEX "stream_token_hash" ON "stream_token"  ("token_hash")`);
    await runner.query(
      `CREATE TABLE "api_key" ("id" uuid NOT NULL, "tenant_id" uuid, "name" text NOT NULL, "scopes" text array NOT NULL, "secret_hash" bytea NOT NULL, "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(), "revoked_at" TIMESTAMP(3) WITH TIME ZONE, CONSTRAINT "api_key_pkey" PRIMARY KEY ("id"))`,
    );
    await runner.query(`CREATE UNIQUE INDEX "api_key_secret_hash" ON "api_key"  ("secret_hash")`);
    await runner.query(
      `CREATE TABLE "audit_entry" ("id" uuid NOT NULL, "tenant_id" uuid, "at" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "actor_key_id" uuid, "action" text NOT NULL, "target_type" text NOT NULL, "target_id" text NOT NULL, "detail" jsonb NOT NULL, CONSTRAINT "audit_entry_pkey" PRIMARY KEY ("id"))`,
    );
    await runner.query(`CREATE INDEX "audit_entry_tenant_at" ON "audit_entry"  ("tenant_id", "at")`);
    await runner.query(
      `CREATE TABLE "webhook_endpoint" ("tenant_id" uuid NOT NULL, "id" uuid NOT NULL, "url" text NOT NULL, "description" text NOT NULL, "event_types" text array NOT NULL, "secret_sealed" text NOT NULL, "status" text NOT NULL, "status_reason" text, "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(), "updated_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "webhook_endpoint_pkey" PRIMARY KEY ("tenant_id", "id"))`,
    );
    await runner.query(
      `CREATE TABLE "delivery" ("tenant_id" uuid NOT NULL, "id" uuid NOT NULL, "endpoint_id" uuid NOT NULL, "event_id" uuid NOT NULL, "call_id" uuid NOT NULL, "sequence" integer NOT NULL, "status" text NOT NULL DEFAULT 'pending', "attempts" integer NOT NULL DEFAULT '0', "next_attempt_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "claimed_by" uuid, "claim_until" TIMESTAMP(3) WITH TIME ZONE, "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "finished_at" TIMESTAMP(3) WITH TIME ZONE, CONSTRAINT "delivery_pkey" PRIMARY KEY ("tenant_id", "id"))`,
    );
    await runner.query(
      `CREATE INDEX "delivery_due" ON "delivery"  ("endpoint_id", "next_attempt_at") WHERE "status" = 'pending'`,
    );
    await runner.query(`CREATE UNIQUE INDEX "delivery_sequence" ON "delivery"  ("endpoint_id", "call_id", "sequence")`);
    await runner.query(
      `CREATE TABLE "attempt" ("tenant_id" uuid NOT NULL, "delivery_id" uuid NOT NULL, "number" integer NOT NULL, "started_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "duration_ms" integer NOT NULL, "status" integer, "error" text, "response_excerpt" text, CONSTRAINT "attempt_pkey" PRIMARY KEY ("tenant_id", "delivery_id", "number"))`,
    );
    await runner.query(
      `ALTER TABLE "agent" ADD CONSTRAINT "agent_tenant" FOREIGN KEY ("tenant_id") REFERENCES "tenant"("id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await runner.query(
      `ALTER TABLE "device" ADD CONSTRAINT "device_agent" FOREIGN KEY ("tenant_id", "agent_id") REFERENCES "agent"("tenant_id","id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await runner.query(
      `ALTER TABLE "device" ADD CONSTRAINT "device_pbx_node" FOREIGN KEY ("pbx_node_id") REFERENCES "pbx_node"("id") ON DELETE RESTRICT ON UPDATE NO ACTION`,
    );
    await runner.query(
      `ALTER TABLE "call" ADD CONSTRAINT "call_tenant" FOREIGN KEY ("tenant_id") REFERENCES "tenant"("id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await runner.query(
      `ALTER TABLE "call" ADD CONSTRAINT "call_pbx_node" FOREIGN KEY ("pbx_node_id") REFERENCES "pbx_node"("id") ON DELETE RESTRICT ON UPDATE NO ACTION`,
    );
    await runner.query(
      `ALTER TABLE "call_leg" ADD CONSTRAINT "call_leg_call" FOREIGN KEY ("tenant_id", "call_id") REFERENCES "call"("tenant_id","id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await runner.query(
      `ALTER TABLE "call_fact" ADD CONSTRAINT "call_fact_leg" FOREIGN KEY ("pbx_node_id", "boot", "leg") REFERENCES "call_leg"("pbx_node_id","boot","leg") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await runner.query(
      `ALTER TABLE "call_request" ADD CONSTRAINT "call_request_tenant" FOREIGN KEY ("tenant_id") REFERENCES "tenant"("id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await runner.query(
      `ALTER TABLE "line" ADD CONSTRAINT "line_tenant" FOREIGN KEY ("tenant_id") REFERENCES "tenant"("id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await runner.query(
      `ALTER TABLE "line" ADD CONSTRAINT "line_pbx_node" FOREIGN KEY ("pbx_node_id") REFERENCES "pbx_node"("id") ON DELETE RESTRICT ON UPDATE NO ACTION`,
    );
    await runner.query(
      `ALTER TABLE "call_event" ADD CONSTRAINT "call_event_call" FOREIGN KEY ("tenant_id", "call_id") REFERENCES "call"("tenant_id","id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await runner.query(
      `ALTER TABLE "stream_token" ADD CONSTRAINT "stream_token_agent" FOREIGN KEY ("tenant_id", "agent_id") REFERENCES "agent"("tenant_id","id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await runner.query(
      `ALTER TABLE "api_key" ADD CONSTRAINT "api_key_tenant" FOREIGN KEY ("tenant_id") REFERENCES "tenant"("id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await runner.query(
      `ALTER TABLE "webhook_endpoint" ADD CONSTRAINT "webhook_endpoint_tenant" FOREIGN KEY ("tenant_id") REFERENCES "tenant"("id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await runner.query(
      `ALTER TABLE "delivery" ADD CONSTRAINT "delivery_endpoint" FOREIGN KEY ("tenant_id", "endpoint_id") REFERENCES "webhook_endpoint"("tenant_id","id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await runner.query(
      `ALTER TABLE "delivery" ADD CONSTRAINT "delivery_event" FOREIGN KEY ("tenant_id", "event_id") REFERENCES "call_event"("tenant_id","id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await runner.query(
      `ALTER TABLE "attempt" ADD CONSTRAINT "attempt_delivery" FOREIGN KEY ("tenant_id", "delivery_id") REFERENCES "delivery"("tenant_id","id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `drop table "tenant", "agent", "pbx_node", "device", "call", "call_leg", "call_fact", "call_request", "line", "call_event", "stream_token", "api_key", "audit_entry", "webhook_endpoint", "delivery", "attempt" cascade`,
    );
  }
}
