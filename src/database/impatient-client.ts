import type { Socket } from 'node:net';
import pg from 'pg';

/** What `pg` says when `query_timeout` has passed. */
const READ_TIMEOUT = 'Query read timeout';

/**
 * A client of PostgreSQL that breaks its connection when a query gets no answer within `query_timeout`. The pool would
 * go on lending it out, and the operating system keeps trying for a quarter of an hour to reach who is gone.
 */
export class ImpatientClient extends pg.Client {
  override query(...parameters: unknown[]): never {
    const pending: unknown = (super.query as (...all: unknown[]) => unknown).apply(this, parameters);
    if (pending instanceof Promise) {
      pending.catch((error: unknown) => {
        if (error instanceof Error && error.message === READ_TIMEOUT) this.#break(error);
      });
    }
    return pending as never;
  }

  #break(error: Error): void {
    const { connection } = this as unknown as { connection?: { stream?: Socket } };
    connection?.stream?.destroy(error);
  }
}
