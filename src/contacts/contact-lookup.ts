import type { Log } from '../common/logger.js';
import { within } from '../common/within.js';
import type { ContactIndex } from './contact-index.js';
import type { ContactSource, ContactSources } from './contact-sources.js';
import { rankMatches, type Candidate, type ContactMatch } from './match.js';
import type { SoughtNumber } from './number-forms.js';

/** Whoever asks waits no longer for a CRM, ms: a phone rings, or a page is being shown. */
export const CRM_DEADLINE_MS = 300;

/** What became of asking one CRM. `late`: it had not answered in time; what it says then is kept for the next who asks. */
export const crmAnswers = ['found', 'nobody', 'late', 'failed'] as const;
export type CrmAnswered = {
  readonly connectionId: string;
  readonly answer: (typeof crmAnswers)[number];
  /** In words, where it failed. */
  readonly why: string | null;
};

export type Found = {
  readonly candidates: readonly Candidate[];
  /** CRMs that were asked; none where the index had somebody with the number. */
  readonly asked: readonly CrmAnswered[];
};

/** Who has a number: by the index, and by the CRMs themselves where it knows nobody. */
export class ContactLookup {
  /** Searches under way, by connection and number: many ask for one call at the same time. */
  readonly #searching = new Map<string, Promise<CrmAnswered>>();

  /** @param sources null in a process that reaches no CRM */
  constructor(
    private readonly index: ContactIndex,
    private readonly sources: ContactSources | null,
    private readonly log: Log,
  ) {}

  async find(
    tenantId: string,
    sought: SoughtNumber,
    agentIds: readonly string[],
    deadlineMs = CRM_DEADLINE_MS,
  ): Promise<Found> {
    const candidates = await this.index.find(tenantId, sought, agentIds);
    if (hasStrong(sought, candidates)) return { candidates, asked: [] };
    const asked = await this.#ask(tenantId, sought, deadlineMs);
    if (!asked.some(({ answer }) => answer === 'found')) return { candidates, asked };
    return { candidates: await this.index.find(tenantId, sought, agentIds), asked };
  }

  /** Looks at the index alone. */
  findKnown(tenantId: string, sought: SoughtNumber, agentIds: readonly string[]): Promise<readonly Candidate[]> {
    return this.index.find(tenantId, sought, agentIds);
  }

  async #ask(tenantId: string, sought: SoughtNumber, deadlineMs: number): Promise<readonly CrmAnswered[]> {
    if (this.sources === null || sought.national === null) return [];
    const sources = await this.sources.ofTenant(tenantId);
    return Promise.all(
      sources.flatMap((source) => {
        const { id: connectionId, findContacts } = source;
        if (findContacts === null) return [];
        const late: CrmAnswered = { connectionId, answer: 'late', why: null };
        return [within(deadlineMs, this.#search(source, findContacts, sought), late)];
      }),
    );
  }

  #search(
    source: ContactSource,
    findContacts: NonNullable<ContactSource['findContacts']>,
    sought: SoughtNumber,
  ): Promise<CrmAnswered> {
    const key = `${source.id} ${sought.key}`;
    const searching =
      this.#searching.get(key) ??
      this.#searchNow(source, findContacts, sought).finally(() => this.#searching.delete(key));
    this.#searching.set(key, searching);
    return searching;
  }

  /** Never rejects. */
  async #searchNow(
    { tenantId, id }: ContactSource,
    findContacts: NonNullable<ContactSource['findContacts']>,
    { crm }: SoughtNumber,
  ): Promise<CrmAnswered> {
    try {
      const verdict = await findContacts(crm);
      if (verdict.verdict !== 'done') return { connectionId: id, answer: 'failed', why: verdict.why };
      await this.index.learn({ tenantId, id }, verdict.value, crm);
      return { connectionId: id, answer: verdict.value.length === 0 ? 'nobody' : 'found', why: null };
    } catch (error) {
      this.log.warn({ scope: 'contacts', connectionId: id, error }, 'a CRM could not be searched');
      return { connectionId: id, answer: 'failed', why: 'Ringline failed; see its log.' };
    }
  }
}

/** Somebody has the number, or was picked for it. */
export function hasStrong(sought: SoughtNumber, candidates: readonly Candidate[]): boolean {
  return surest(sought, candidates, null) !== null;
}

/** The likeliest of those who have the number, or were picked for it: one whose number merely ends alike is a guess. */
export function surest(
  sought: SoughtNumber,
  candidates: readonly Candidate[],
  agentId: string | null,
): ContactMatch | null {
  const [match] = rankMatches(sought, candidates, agentId);
  const isSure = match !== undefined && (match.agreement !== 'last-digits' || match.reasons.includes('picked'));
  return isSure ? match : null;
}

/** Matches for one agent. */
export function matchesFor(
  sought: SoughtNumber,
  found: readonly Candidate[],
  agentId: string | null,
): readonly ContactMatch[] {
  return rankMatches(sought, found, agentId).slice(0, MOST_MATCHES);
}

/** Of more nobody chooses. */
const MOST_MATCHES = 20;
