import { createHash, randomBytes } from 'node:crypto';
import type { z } from 'zod';
import type { SecretBox, SecretPlace } from '../../common/secret-box.js';
import type { CrmAdapter } from '../port/crm-adapter.js';

/** The row secrets are sealed for: copied to another tenant's or connection's row they do not open. */
export function secretsPlace(tenantId: string, connectionId: string): SecretPlace {
  return { table: 'crm_connection', column: 'secrets_sealed', id: `${tenantId}/${connectionId}` };
}

export function tokenPlace(tenantId: string, connectionId: string): SecretPlace {
  return { table: 'crm_token', column: 'sealed', id: `${tenantId}/${connectionId}` };
}

type Settings = Readonly<Record<string, unknown>>;

/** Settings in two parts: what may be shown, and what is sealed. */
export function part(adapter: CrmAdapter, settings: Settings): { readonly shown: Settings; readonly secret: Settings } {
  const isSecret = new Set<string>(adapter.secrets);
  const entries = Object.entries(settings);
  return {
    shown: Object.fromEntries(entries.filter(([name]) => !isSecret.has(name))),
    secret: Object.fromEntries(entries.filter(([name, value]) => isSecret.has(name) && value !== undefined)),
  };
}

export function openSecrets(
  box: SecretBox,
  row: { readonly tenantId: string; readonly id: string; readonly secretsSealed: string | null },
): Settings {
  if (row.secretsSealed === null) return {};
  return JSON.parse(box.open(row.secretsSealed, secretsPlace(row.tenantId, row.id))) as Settings;
}

/** @throws {z.ZodError} when the adapter's schema has changed since they were stored. */
export function readSettings(
  box: SecretBox,
  adapter: CrmAdapter,
  row: {
    readonly tenantId: string;
    readonly id: string;
    readonly settings: object;
    readonly secretsSealed: string | null;
  },
): z.output<CrmAdapter['settings']> {
  return adapter.settings.parse({ ...row.settings, ...openSecrets(box, row) });
}

const DOOR_BYTES = 32;

/** The random part of a door's address, and what is stored of it. */
export function newDoor(): { readonly random: string; readonly hash: Buffer } {
  const random = randomBytes(DOOR_BYTES).toString('base64url');
  return { random, hash: doorHash(random) };
}

export function doorHash(random: string): Buffer {
  return createHash('sha256').update(random).digest();
}
