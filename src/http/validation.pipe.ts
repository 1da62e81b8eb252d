import { StandardSchemaValidationPipe } from '@nestjs/common';
import type { z } from 'zod';
import { invalidRequest } from './invalid-request.js';

/** Checks what a route declares by `schema`. Every schema is one of zod, whose issues tell more than the standard asks. */
export const validationPipe = new StandardSchemaValidationPipe({
  exceptionFactory: (issues) => invalidRequest(issues as readonly z.core.$ZodIssue[]),
});
