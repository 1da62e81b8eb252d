import { Global, Module, type DynamicModule } from '@nestjs/common';
import { Config } from '../config/config.js';
import { Clock, systemClock } from './clock.js';
import { Log } from './logger.js';
import { SecretBox } from './secret-box.js';
import { readOrCreateSecretKey } from './secret-key.js';

/** What every feature may ask for: the log, the time, the secret box. */
@Global()
@Module({})
export class CommonModule {
  static of(log: Log): DynamicModule {
    return {
      module: CommonModule,
      providers: [
        { provide: Log, useValue: log },
        { provide: Clock, useValue: systemClock },
        {
          provide: SecretBox,
          inject: [Config],
          useFactory: (config: Config) => new SecretBox(config.secretKey ?? readOrCreateSecretKey(config.dataDir)),
        },
      ],
      exports: [Log, Clock, SecretBox],
    };
  }
}
