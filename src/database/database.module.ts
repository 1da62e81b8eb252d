import { Global, Inject, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { TypeOrmModule, getDataSourceToken } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { Log } from '../common/logger.js';
import { Config } from '../config/config.js';
import { Database } from './database.js';
import { createDataSource, dataSourceOptions } from './data-source.js';

@Global()
@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      inject: [Config],
      useFactory: (config: Config) => ({ ...dataSourceOptions(config.databaseUrl), manualInitialization: true }),
      dataSourceFactory: (options) => Promise.resolve(createDataSource((options as { url: string }).url)),
    }),
  ],
  providers: [
    {
      provide: Database,
      inject: [getDataSourceToken(), Config, Log],
      useFactory: (source: DataSource, config: Config, log: Log) => new Database(source, config, log),
    },
  ],
  exports: [Database, TypeOrmModule],
})
export class DatabaseModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(@Inject(Database) private readonly database: Database) {}

  onApplicationBootstrap(): void {
    this.database.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.database.stop();
  }
}
