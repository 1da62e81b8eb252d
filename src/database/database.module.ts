import { Global, Inject, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { TypeOrmModule, getDataSourceToken } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { Log } from '../common/logger.js';
import { Config } from '../config/config.js';
import { Database } from './database.js';
import { Notifications } from './notifications.js';
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
    {
      provide: Notifications,
      inject: [Config, Log],
      useFactory: (config: Config, log: Log) => new Notifications(config.databaseUrl, log),
    },
  ],
  exports: [Database, Notifications, TypeOrmModule],
})
export class DatabaseModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(Notifications) private readonly notifications: Notifications,
  ) {}

  onApplicationBootstrap(): void {
    this.database.start();
    this.notifications.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.notifications.stop();
    await this.database.stop();
  }
}
