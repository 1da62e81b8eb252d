import { z } from 'zod';

export const scopes = [
  'platform',
  'config',
  'calls:read',
  'calls:write',
  'recordings:read',
  'webhooks',
  'stream:issue',
  'metrics',
  'cel:write',
] as const;

/** What a key may do. `platform` rules the installation and every tenant. */
export const scopeSchema = z.enum(scopes);
export type Scope = z.output<typeof scopeSchema>;

/** Scopes whose routes act for the installation, or for one PBX node of it, and for no tenant. */
export const scopesWithoutTenant: ReadonlySet<Scope> = new Set<Scope>(['platform', 'cel:write']);
