import type { DataSource } from 'typeorm';
import { Problem } from '../../common/problems.js';

type LineRow = {
  readonly id: string;
  readonly number: string;
  readonly did: string;
  readonly name: string;
  readonly agent_ids: readonly string[];
  readonly can_call: boolean;
};

/** The lines of a tenant as a CRM may name them. */
export async function readLines(source: DataSource, tenantId: string): Promise<readonly LineRow[]> {
  return source.query(
    `select id, number, did, name, array(select jsonb_array_elements_text(target -> 'agentIds')) as agent_ids,
            outbound is not null as can_call
       from line where tenant_id = $1 order by id`,
    [tenantId],
  );
}

/**
 * By id, number, DID or name, in this order.
 * @throws {Problem} `line-required`
 */
export function lineNamed(lines: readonly LineRow[], named: string): LineRow {
  const digits = named.replace(/\D/g, '');
  const line =
    lines.find(({ id }) => id === named.toLowerCase()) ??
    lines.find(({ number }) => digits.length > 5 && number.replace(/\D/g, '') === digits) ??
    lines.find(({ did }) => did === named) ??
    lines.find(({ name }) => name.toLowerCase() === named.trim().toLowerCase());
  if (line !== undefined) return line;
  throw new Problem('line-required', { detail: 'The CRM names a line that is none of the tenant’s.' });
}

/**
 * The line whose agents are to call back.
 * @throws {Problem} `line-required`
 */
export function lineToCallBack(lines: readonly LineRow[], named: string | null): LineRow {
  if (named !== null) return lineNamed(lines, named);
  const able = lines.filter(({ can_call }) => can_call);
  if (able[0] !== undefined && able.length === 1) return able[0];
  const detail =
    able.length === 0
      ? 'No line has a trunk to call back by.'
      : 'Several lines could call back; the CRM has to name one.';
  throw new Problem('line-required', { detail });
}
