import { createLog, type Log } from '../../src/common/logger.js';

/** A log that says nothing. */
export const noLog: Log = createLog('silent');
