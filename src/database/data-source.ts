import { DataSource, type DataSourceOptions } from 'typeorm';
import { migrations } from '../../migrations/index.js';
import { entities } from './entities.js';
import { ImpatientClient } from './impatient-client.js';
import { SnakeNamingStrategy } from './naming-strategy.js';

/** How long one statement may run, ms: a stuck one must not hold calls back. */
const STATEMENT_TIMEOUT_MS = 5_000;
const LOCK_TIMEOUT_MS = 2_000;
/** When an answer is no longer waited for, ms: later than PostgreSQL itself would give up, so only when it is out of reach. */
const ANSWER_TIMEOUT_MS = 7_000;

export function dataSourceOptions(databaseUrl: string): DataSourceOptions {
  return {
    type: 'postgres',
    url: databaseUrl,
    entities,
    migrations,
    migrationsTransactionMode: 'each',
    namingStrategy: new SnakeNamingStrategy(),
    // Ids are made by the application; no extension is needed or installed.
    uuidExtension: 'pgcrypto',
    installExtensions: false,
    poolSize: 20,
    connectTimeoutMS: 5_000,
    extra: {
      application_name: 'ringline',
      statement_timeout: STATEMENT_TIMEOUT_MS,
      lock_timeout: LOCK_TIMEOUT_MS,
      query_timeout: ANSWER_TIMEOUT_MS,
      Client: ImpatientClient,
      idle_in_transaction_session_timeout: 10_000,
      keepAlive: true,
    },
  };
}

export function createDataSource(databaseUrl: string): DataSource {
  return new DataSource(dataSourceOptions(databaseUrl));
}
