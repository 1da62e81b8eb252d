import { startLab, type Lab } from '../../lab/start-lab.js';

/**
 * A PostgreSQL for one test file: the one `DATABASE_URL` names, else one of its own, which a test may stop when it asks
 * for its `own`. End it with `stop()`.
 */
export function startDatabaseServer(postgres: true | 'own' = true): Promise<Lab> {
  return startLab({ asterisk: false, redis: false, postgres, report: () => undefined });
}
