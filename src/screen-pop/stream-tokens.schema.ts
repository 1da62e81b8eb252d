import { z } from 'zod';
import { idSchema } from '../http/id.js';

/** What browsers send in the header `Origin`: scheme, host and port, nothing after. */
const originSchema = z
  .string()
  .max(300)
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text, {
    error: 'must be an origin such as https://crm.example.com, without a path',
  });

export const issueStreamTokenSchema = z
  .strictObject({
    agentId: idSchema.meta({ description: 'Whose calls the stream shows.' }),
    origin: originSchema
      .optional()
      .meta({ description: 'The only origin whose pages may use the token. Default: any of CORS_ORIGINS.' }),
  })
  .meta({ id: 'IssueStreamToken' });

export const streamTokenSchema = z
  .strictObject({
    token: z.string().meta({ description: 'For `GET /v1/stream?token=`. Not shown again.' }),
    expiresAt: z.iso.datetime({ precision: 3 }).meta({ description: 'Until when it can be used to connect.' }),
  })
  .meta({ id: 'StreamToken' });

export const revokeStreamTokensSchema = z.strictObject({ agentId: idSchema });

/** `lastEventId` is accepted because clients send it; each connection starts with the whole state anyway. */
export const openStreamSchema = z.object({
  token: z.string().max(200).default(''),
  lastEventId: z.string().max(200).optional(),
});

export type IssueStreamToken = z.output<typeof issueStreamTokenSchema>;
export type StreamTokenView = z.output<typeof streamTokenSchema>;
export type RevokeStreamTokens = z.output<typeof revokeStreamTokensSchema>;
export type OpenStream = z.output<typeof openStreamSchema>;
