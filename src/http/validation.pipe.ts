import { StandardSchemaValidationPipe } from '@nestjs/common';
import type { z } from 'zod';
import { Problem } from '../common/problems.js';
import { describeIssue } from './describe-issue.js';

const MOST_ISSUES_TOLD = 5;

/** Checks what a route declares by `schema`; a misfit is the problem `invalid-request`, with every fault in its text. */
export const validationPipe = new StandardSchemaValidationPipe({
  exceptionFactory: (issues) => {
    // Every schema of a route is one of zod, whose issues tell more than the standard asks for.
    const described = (issues as readonly z.core.$ZodIssue[]).slice(0, MOST_ISSUES_TOLD).map(describeIssue);
    const faults = described.map(
      ({ field, fault }) => `${field === undefined ? 'The value' : `\`${field}\``} ${fault}.`,
    );
    const rest = issues.length - described.length;
    const field = described[0]?.field;
    return new Problem('invalid-request', {
      detail: [...faults, ...(rest > 0 ? [`And ${rest} more.`] : [])].join(' '),
      ...(field !== undefined && { field }),
    });
  },
});
