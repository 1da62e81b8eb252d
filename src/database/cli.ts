import { readConfig } from '../config/config.js';
import { createDataSource } from './data-source.js';

/**
 * `node dist/src/database/cli.js migrate` runs pending migrations; `check` exits 1 when tables and entities differ and
 * prints the statements that would join them.
 */
const command = process.argv[2];
const source = await createDataSource(readConfig().databaseUrl).initialize();
try {
  if (command === 'migrate') {
    const done = await source.runMigrations();
    console.log(done.length === 0 ? 'No migration was pending.' : done.map(({ name }) => `ran ${name}`).join('\n'));
  } else if (command === 'check') {
    await source.runMigrations();
    const { upQueries } = await source.driver.createSchemaBuilder().log();
    for (const { query } of upQueries) console.log(`${query};`);
    console.log(
      upQueries.length === 0 ? 'Migrations and entities agree.' : 'Migrations and entities differ: see above.',
    );
    process.exitCode = upQueries.length === 0 ? 0 : 1;
  } else {
    console.error('usage: cli.js migrate | check');
    process.exitCode = 2;
  }
} finally {
  await source.destroy();
}
