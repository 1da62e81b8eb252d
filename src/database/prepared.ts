import type { Pool, QueryResultRow } from 'pg';
import type { DataSource } from 'typeorm';

/** A statement of a hot path, by a name of its own. */
export type Prepared = { readonly name: string; readonly text: string };

/**
 * Runs a statement that each connection prepares once, in a transaction of its own. Planning some costs more than running
 * them, and TypeORM has every statement planned every time.
 */
export async function runPrepared<Row extends QueryResultRow>(
  source: DataSource,
  statement: Prepared,
  values: readonly unknown[],
): Promise<Row[]> {
  return (await pool(source).query<Row>({ ...statement, values: [...values] })).rows;
}

/** Ways of PostgreSQL's planner that are switched off. */
export type PlannerSettings = readonly `enable_${string}`[];

/**
 * The same for a statement whose plan must not depend on what PostgreSQL believes of its tables. It is planned once a
 * connection: left to choose, PostgreSQL plans one with arrays anew each time, which takes longer than to run it. Not for
 * one that waits.
 */
export async function runPreparedWithout<Row extends QueryResultRow>(
  source: DataSource,
  settings: PlannerSettings,
  statement: Prepared,
  values: readonly unknown[],
): Promise<Row[]> {
  const client = await pool(source).connect();
  try {
    const ways = settings.map((name) => `set local ${name} = off`);
    await client.query(['begin', 'set local plan_cache_mode = force_generic_plan', ...ways].join('; '));
    const { rows } = await client.query<Row>({ ...statement, values: [...values] });
    await client.query('commit');
    client.release();
    return rows;
  } catch (error) {
    // Rolled back with its connection.
    client.release(true);
    throw error;
  }
}

/** The connections that TypeORM lends out too. */
export function pool(source: DataSource): Pool {
  return (source.driver as unknown as { readonly master: Pool }).master;
}
