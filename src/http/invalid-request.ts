import type { z } from 'zod';
import { Problem } from '../common/problems.js';
import { describeIssue } from './describe-issue.js';

const MOST_ISSUES_TOLD = 5;

/** The problem that misfits with a schema are: the first field at fault, and every fault in words. */
export function invalidRequest(issues: readonly z.core.$ZodIssue[]): Problem {
  const described = issues.slice(0, MOST_ISSUES_TOLD).map(describeIssue);
  const faults = described.map(({ field, fault }) => `${field === undefined ? 'The value' : `\`${field}\``} ${fault}.`);
  const rest = issues.length - described.length;
  const field = described[0]?.field;
  return new Problem('invalid-request', {
    detail: [...faults, ...(rest > 0 ? [`And ${rest} more.`] : [])].join(' '),
    ...(field !== undefined && { field }),
  });
}
