/** What a CRM is known to have of a call before the call is there: written into its row with the call's first events. */
export type RequestedLinks = {
  readonly connectionId: string;
  readonly links: {
    readonly contact?: {
      readonly type: string;
      readonly id: string;
      readonly kind: 'contact' | 'lead' | 'company';
      readonly name: string;
      readonly ownerId: null;
    };
    readonly remoteId?: string;
  };
};

/** @param remoteCallId the object that the CRM has made for the call already */
export function requestedLinks(
  connectionId: string,
  entity: { readonly type: string; readonly id: string } | null,
  remoteCallId: string | null,
): RequestedLinks {
  return {
    connectionId,
    links: {
      ...(entity !== null && {
        contact: { type: entity.type, id: entity.id, kind: kindOf(entity.type), name: '', ownerId: null },
      }),
      ...(remoteCallId !== null && { remoteId: remoteCallId }),
    },
  };
}

/** By the CRM's own word for it: a guess, for texts alone. */
function kindOf(type: string): 'contact' | 'lead' | 'company' {
  if (/lead/i.test(type)) return 'lead';
  return /compan|account|organi[sz]ation/i.test(type) ? 'company' : 'contact';
}

/**
 * Part of a `with` after the statement that made the rows: what is there already stays. `requests` names the part that has
 * `tenant_id`, `call_id` and `crm`.
 */
export const linkedPart = (requests: string): string => `linked as (
  update crm_sync s set links = (r.crm -> 'links') || s.links
    from ${requests} r
   where r.crm is not null and s.tenant_id = r.tenant_id and s.call_id = r.call_id
     and s.connection_id = (r.crm ->> 'connectionId')::uuid
)`;
