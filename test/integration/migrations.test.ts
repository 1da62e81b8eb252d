import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../../lab/start-lab.js';
import { createDataSource } from '../../src/database/data-source.js';
import { startDatabaseServer } from '../support/database.js';

let lab: Lab;
beforeAll(async () => {
  lab = await startDatabaseServer();
});
afterAll(() => lab?.stop());

describe('migrations', () => {
  it('make exactly the tables that the entities describe, and can be taken back', async () => {
    const source = await createDataSource(await lab.postgres.createDatabase()).initialize();
    try {
      const done = await source.runMigrations();
      expect(done.length).toBe(source.migrations.length);
      const { upQueries } = await source.driver.createSchemaBuilder().log();
      expect(upQueries.map(({ query }) => query)).toEqual([]);
      for (const _ of done) await source.undoLastMigration();
      const left: { tablename: string }[] = await source.query(
        `select tablename from pg_tables where schemaname = 'public' and tablename <> 'migrations'`,
      );
      expect(left).toEqual([]);
    } finally {
      await source.destroy();
    }
  });
});
