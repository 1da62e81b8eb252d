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

/** The connections that TypeORM lends out too. */
export function pool(source: DataSource): Pool {
  return (source.driver as unknown as { readonly master: Pool }).master;
}
