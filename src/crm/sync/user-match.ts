import type { ConnectionRules } from '../connections/connection-rules.js';
import type { CrmUser } from '../port/crm-objects.js';

/** An agent as he may be found among a CRM's users. */
export type MatchedAgent = {
  readonly id: string;
  readonly email: string | null;
  /** As it is written at the agent for this connection. */
  readonly userId: string | null;
  /** Of the agent's phones, such as `101` or `alice`. */
  readonly endpoints: readonly string[];
};

/** The CRM user of an agent: as somebody mapped it, else by e-mail, else by extension. */
export function userIdOf(
  { id, email, userId, endpoints }: MatchedAgent,
  { map, match }: ConnectionRules['users'],
  users: readonly CrmUser[],
): string | null {
  const mapped = map[id] ?? userId;
  if (mapped !== null) return mapped;
  const active = users.filter(({ isActive }) => isActive);
  const byEmail = email === null ? undefined : active.find((user) => user.email?.toLowerCase() === email.toLowerCase());
  const byExtension = active.find(({ extension }) => extension !== null && endpoints.some(isOf(extension)));
  switch (match) {
    case 'none':
      return null;
    case 'email':
      return byEmail?.id ?? null;
    case 'extension':
      return byExtension?.id ?? null;
    case 'email-or-extension':
      return (byEmail ?? byExtension)?.id ?? null;
  }
}

/** An endpoint is named as its extension, or has it in its name: `101`, `sales-101`. */
function isOf(extension: string): (endpoint: string) => boolean {
  const digits = extension.replace(/\D/g, '');
  return (endpoint) => endpoint === extension || (digits !== '' && endpoint.replace(/\D/g, '') === digits);
}
