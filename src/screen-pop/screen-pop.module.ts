import { Module } from '@nestjs/common';
import { ContactIndexModule } from '../contacts/contact-index.module.js';
import { OpenCalls } from './open-calls.js';
import { OpeningQueue } from './opening-queue.js';
import { OpenStreams } from './open-streams.js';
import { PopLatency } from './pop-latency.js';
import { PopMatches } from './pop-matches.js';
import { PopsController } from './pops.controller.js';
import { ScreenPop } from './screen-pop.js';
import { StreamLimits, streamLimits } from './stream-limits.js';
import { StreamTokens } from './stream-tokens.js';
import { StreamTokensController } from './stream-tokens.controller.js';
import { StreamUpkeep } from './stream-upkeep.js';
import { StreamController } from './stream.controller.js';

/** Who sees what, when: the stream of an agent's browser, and the pops in it. */
@Module({
  imports: [ContactIndexModule],
  controllers: [StreamTokensController, StreamController, PopsController],
  providers: [
    { provide: StreamLimits, useValue: streamLimits },
    OpenCalls,
    OpeningQueue,
    OpenStreams,
    PopLatency,
    PopMatches,
    ScreenPop,
    StreamTokens,
    StreamUpkeep,
  ],
  exports: [ScreenPop],
})
export class ScreenPopModule {}
