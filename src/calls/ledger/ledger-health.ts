import type { PartHealth } from '../../health/health-parts.js';
import type { CallLedger } from './call-ledger.js';

/** Whether call records can be stored, and whether all were. */
export function ledgerHealth(ledger: Pick<CallLedger, 'trouble' | 'parkedCalls'>): PartHealth {
  const name = 'call-records';
  const trouble = ledger.trouble();
  if (trouble !== null) {
    return { name, status: 'degraded', detail: `${trouble}; new callers take the dial plan’s fall-back meanwhile.` };
  }
  const parked = ledger.parkedCalls();
  if (parked === 0) return { name, status: 'up' };
  const detail = `${parked} call records could not be written and were set aside; the log (scope "ledger") says which and why.`;
  return { name, status: 'degraded', detail };
}
