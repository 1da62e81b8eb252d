import type { Request } from 'express';

/** A request as handlers see it: with an id, which the answer's header and the log repeat. */
export type IncomingRequest = Request & { requestId: string };
