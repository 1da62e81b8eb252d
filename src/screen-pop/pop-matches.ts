import { Injectable } from '@nestjs/common';
import type { Call } from '../calls/domain/call.js';
import { Log } from '../common/logger.js';
import { within } from '../common/within.js';
import { ContactLookup, hasStrong, matchesFor } from '../contacts/contact-lookup.js';
import type { Candidate, ContactMatch } from '../contacts/match.js';
import type { SoughtNumber } from '../contacts/number-forms.js';
import { RemoteNumbers } from '../contacts/remote-numbers.js';
import { Database } from '../database/database.js';
import { OpeningQueue } from './opening-queue.js';
import type { Pop } from './pop.js';

/** Who a caller may be, as one agent sees it. */
export type AgentMatches = { readonly agentId: string; readonly matches: readonly ContactMatch[] };

/** How long a CRM may take that has to be searched, ms: the phone rings meanwhile, and the pop is on the screen. */
const CRM_DEADLINE_MS = 3_000;
/** How long a browser waits at most for its snapshot on account of matches, ms. */
const SNAPSHOT_DEADLINE_MS = 250;
/** Pops whose callers CRMs are being asked for; beyond it they stay without matches. */
const MOST_ASKED = 200;

/** Who is calling, by the CRM. Never rejects: a pop without matches is a pop. */
@Injectable()
export class PopMatches {
  /** Of the database's connections most are left to the calls. */
  readonly #turns = new OpeningQueue();
  #asked = 0;

  constructor(
    private readonly database: Database,
    private readonly numbers: RemoteNumbers,
    private readonly lookup: ContactLookup,
    private readonly log: Log,
  ) {}

  /** For the pops of a call: by the index, else by the CRMs. Of agents who see somebody. */
  async find(call: Call, agentIds: readonly string[]): Promise<readonly AgentMatches[]> {
    if (this.database.state.status !== 'ready') return [];
    try {
      const sought = await this.#turns.run(() => this.numbers.of(call));
      if (sought === null) return [];
      const known = await this.#turns.run(() => this.lookup.findKnown(call.tenantId, sought, agentIds));
      const candidates = hasStrong(sought, known) ? known : await this.#ask(call, sought, agentIds);
      return agentIds
        .map((agentId) => ({ agentId, matches: matchesFor(sought, candidates, agentId) }))
        .filter(({ matches }) => matches.length > 0);
    } catch (error) {
      this.log.warn({ scope: 'screen-pop', callId: call.id, error }, 'a pop stays without matches');
      return [];
    }
  }

  async #ask({ tenantId }: Call, sought: SoughtNumber, agentIds: readonly string[]): Promise<readonly Candidate[]> {
    if (this.#asked >= MOST_ASKED) return [];
    this.#asked++;
    try {
      return (await this.lookup.find(tenantId, sought, agentIds, CRM_DEADLINE_MS)).candidates;
    } finally {
      this.#asked--;
    }
  }

  /** Pops as a snapshot shows them: by the index alone, and without matches when that takes too long. */
  async fill(pops: readonly Pop[]): Promise<readonly Pop[]> {
    const filled = Promise.all(
      pops.map(async (pop) => {
        const sought = await this.numbers.of(pop.call);
        if (sought === null) return pop;
        const candidates = await this.lookup.findKnown(pop.call.tenantId, sought, [pop.agentId]);
        return { ...pop, matches: matchesFor(sought, candidates, pop.agentId) };
      }),
    ).catch((error: unknown) => {
      this.log.warn({ scope: 'screen-pop', error }, 'pops of a snapshot stay without matches');
      return pops;
    });
    return within(SNAPSHOT_DEADLINE_MS, filled, pops);
  }
}
