import { Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Config } from '../config/config.js';
import { EgressRules } from './egress-rules.js';
import { GuardedClient } from './guarded-client.js';

@Global()
@Module({
  providers: [
    { provide: EgressRules, inject: [Config], useFactory: (config: Config) => new EgressRules(config.egressAllow) },
    { provide: GuardedClient, inject: [EgressRules], useFactory: (rules: EgressRules) => new GuardedClient(rules) },
  ],
  exports: [EgressRules, GuardedClient],
})
export class EgressModule implements OnApplicationShutdown {
  constructor(@Inject(GuardedClient) private readonly client: GuardedClient) {}

  onApplicationShutdown(): Promise<void> {
    return this.client.close();
  }
}
