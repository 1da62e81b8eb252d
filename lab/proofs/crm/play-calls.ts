import { setTimeout as sleep } from 'node:timers/promises';
import type { Call } from '../../../src/calls/domain/call.js';
import type { CallChange, CrmLab } from '../../crm/crm-lab.js';
import type { PlannedCall } from './plan-calls.js';

/** What comes in this time is committed together, ms. */
const TICK_MS = 25;

type Running = { readonly planned: PlannedCall; call: Call; next: number; readonly beganAt: number };

/** Calls of one tenant, from the moment that each begins. */
export class CallPlayer {
  readonly #running = new Set<Running>();

  constructor(
    private readonly lab: CrmLab,
    /** Of a change that was committed, and when. */
    private readonly onCommit: (change: CallChange, at: number) => void = () => undefined,
  ) {}

  begin(planned: PlannedCall): void {
    this.#running.add({ planned, call: planned.call, next: 0, beganAt: planned.told.startedAt.getTime() });
  }

  /** Plays what has begun, and what `due` adds on the way, until that gives null and all is told. */
  async play(due: (now: number) => readonly PlannedCall[] | null): Promise<void> {
    for (let isOver = false; !isOver || this.#running.size > 0;) {
      const now = Date.now();
      const fresh = isOver ? null : due(now);
      if (fresh === null) isOver = true;
      for (const planned of fresh ?? []) this.begin(planned);
      await this.#commitDue(now);
      await sleep(TICK_MS);
    }
  }

  async #commitDue(now: number): Promise<void> {
    const changes: CallChange[] = [];
    for (const running of this.#running) {
      const stage = running.planned.stages[running.next];
      if (stage === undefined || running.beganAt + stage.atMs > now) continue;
      const version = running.next + 1;
      const recordings = stage.storesRecording ? await this.#recorded(running.call) : running.call.recordings;
      running.call = { ...running.call, ...stage.changes, recordings, version };
      changes.push({ call: running.call, type: stage.type });
      running.next += 1;
      if (running.next === running.planned.stages.length) this.#running.delete(running);
    }
    if (changes.length === 0) return;
    const at = await this.lab.commit(changes);
    for (const change of changes) this.onCommit(change, at);
  }

  async #recorded(call: Call): Promise<Call['recordings']> {
    const id = await this.lab.addRecording(call);
    return [{ id, state: 'ready', startedAt: call.answeredAt, durationSeconds: call.talkSeconds, failure: null }];
  }
}
