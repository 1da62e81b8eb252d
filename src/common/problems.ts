/**
 * Every problem an API user can meet: the slug in `type`, its status, its title and what to do about it.
 * `docs/problems.md` is generated from this table and the tests of bad input read it.
 */
export const problems = {
  'invalid-request': {
    status: 400,
    title: 'The request does not fit the schema',
    remedy: 'Correct the field that `field` names.',
  },
  unauthorized: {
    status: 401,
    title: 'No valid API key',
    remedy: 'Send `Authorization: Bearer rl_...` with a key that is not revoked.',
  },
  forbidden: {
    status: 403,
    title: 'The key may not do this',
    remedy: 'Use a key that has the scope which `detail` names.',
  },
  'tenant-required': {
    status: 400,
    title: 'A platform key must name a tenant',
    remedy: 'Send the header `Ringline-Tenant: <tenant id>`.',
  },
  'not-found': {
    status: 404,
    title: 'There is no such thing here',
    remedy: 'Check the id. Ids of other tenants answer the same.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'The path has no such method',
    remedy: 'See /docs for the methods of this path.',
  },
  conflict: {
    status: 409,
    title: 'It collides with what is stored',
    remedy: 'Change the value that `field` names, or remove what it collides with first.',
  },
  'body-too-large': {
    status: 413,
    title: 'The body is too large',
    remedy: 'Send at most 64 kB, or of log lines 1 MB.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The body is not JSON',
    remedy: 'Send `Content-Type: application/json`.',
  },
  'idempotency-key-required': {
    status: 400,
    title: 'An Idempotency-Key is missing or malformed',
    remedy: 'Send `Idempotency-Key` with 1 to 255 printable ASCII characters, new for each click.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'The Idempotency-Key was used with another body',
    remedy: 'Use a new key for a new request.',
  },
  'request-in-progress': {
    status: 409,
    title: 'The first request with this key is still being decided',
    remedy: 'Repeat it with the same key in a moment.',
  },
  'invalid-number': {
    status: 422,
    title: 'The number cannot be dialled',
    remedy: 'Send a complete number, best in E.164 such as +14155550123.',
  },
  'number-blocked': {
    status: 422,
    title: 'This number may not be called',
    remedy:
      '`detail` says why: take it off `/v1/blocked-numbers`, or have an administrator change the tenant’s `dialRules`; emergency and short numbers are never dialled.',
  },
  'agent-unreachable': {
    status: 409,
    title: 'No phone of the agent is registered',
    remedy: 'Register a device of the agent on the PBX.',
  },
  'agent-busy': {
    status: 409,
    title: 'The agent already has a click-to-call open',
    remedy: 'Wait until it has ended, or hang it up.',
  },
  'agent-without-device': { status: 409, title: 'The agent has no device', remedy: 'Add a device to the agent.' },
  'line-required': {
    status: 422,
    title: 'No line can carry this call',
    remedy: 'Name a `lineId`; with one line that has `outbound`, it is chosen by itself.',
  },
  'line-without-trunk': { status: 409, title: 'The line has no trunk', remedy: 'Set the line’s `outbound`.' },
  'node-mismatch': {
    status: 409,
    title: 'The legs would be on different PBX nodes',
    remedy: 'Use a line on the node of the agent’s device.',
  },
  'node-unavailable': {
    status: 503,
    title: 'The PBX node cannot be reached',
    remedy: 'See `GET /v1/pbx-nodes/{id}/health`; repeat with the same Idempotency-Key.',
  },
  'cel-not-taken': {
    status: 503,
    title: 'Lines of the PBX’s log cannot be taken now',
    remedy: 'Send the same lines again after `Retry-After`; what was taken before changes nothing.',
  },
  'cel-busy': {
    status: 429,
    title: 'Other lines of this PBX are being stored',
    remedy: 'Send one request at a time for each PBX node.',
  },
  'too-many-calls': {
    status: 429,
    title: 'The tenant has too many calls',
    remedy: 'Wait as long as `Retry-After` says.',
  },
  'call-ended': { status: 409, title: 'The call has ended', remedy: 'Nothing is left to control.' },
  'call-not-controllable': {
    status: 409,
    title: 'Ringline does not drive this call',
    remedy: 'A call that the dial plan makes can be hung up; nothing else can be asked of it.',
  },
  'call-not-answered': {
    status: 409,
    title: 'The parties of the call do not talk',
    remedy: 'Wait for `call.answered`.',
  },
  'transfer-conflict': {
    status: 409,
    title: 'The call’s transfers do not allow this',
    remedy:
      'While a transfer is under way, complete it, cancel it or wait for its end: `call.transferred` or `call.resumed`. `detail` says what is the matter.',
  },
  'extensions-not-allowed': {
    status: 409,
    title: 'The PBX node does not allow this extension to be dialled',
    remedy:
      'Name the context of the dial plan that holds it in the node’s `extensionContexts` (`PATCH /v1/pbx-nodes/{id}`, with a platform key).',
  },
  'recording-conflict': {
    status: 409,
    title: 'The call’s recording does not allow this',
    remedy: 'See `recordings` of the call.',
  },
  'recording-unavailable': {
    status: 409,
    title: 'There is nothing to hear',
    remedy: 'A recording can be heard after `call.recording.ready`; `detail` says what is the matter with this one.',
  },
  'range-not-satisfiable': {
    status: 416,
    title: 'The recording has no such bytes',
    remedy: 'Ask for bytes below the length that `Content-Range` tells.',
  },
  'link-invalid': {
    status: 403,
    title: 'The link is unknown, expired or revoked',
    remedy: 'Make a new one: `POST /v1/calls/{id}/recordings/{rid}/links`.',
  },
  'unsafe-url': {
    status: 422,
    title: 'Ringline may not send to this URL',
    remedy: 'Use https on a public address, or have the operator add the target to EGRESS_ALLOW.',
  },
  'too-many-tests': {
    status: 429,
    title: 'The webhook endpoint was tested a moment ago',
    remedy: 'Wait as long as `Retry-After` says.',
  },
  'token-invalid': {
    status: 401,
    title: 'The stream token is unknown, expired or revoked',
    remedy: 'Fetch a new one from `POST /v1/stream-tokens`.',
  },
  'origin-mismatch': {
    status: 403,
    title: 'The stream token belongs to another origin',
    remedy: 'Ask for a token with the origin of the page that uses it.',
  },
  'too-many-streams': {
    status: 429,
    title: 'Too many streams are open or being opened',
    remedy: 'Close some of the agent’s tabs, or wait as long as `Retry-After` says.',
  },
  'signature-invalid': {
    status: 401,
    title: 'The request does not prove that it comes from the CRM',
    remedy: 'Compare the secret or token that the CRM signs with, and the one in the connection’s `settings`.',
  },
  'source-not-allowed': {
    status: 403,
    title: 'The door takes no requests from this address',
    remedy: 'Add the address to the connection’s `doorSources`.',
  },
  'crm-user-unknown': {
    status: 422,
    title: 'The CRM user is no agent here',
    remedy: 'Name the user’s agent in the connection’s `rules.users.map`, or give both the same e-mail or extension.',
  },
  'connection-not-enabled': {
    status: 409,
    title: 'The CRM connection is not enabled',
    remedy: 'Set its `status` to `enabled`.',
  },
  'too-many-requests': {
    status: 429,
    title: 'The door was tried too often',
    remedy: 'Wait as long as `Retry-After` says.',
  },
  'database-unavailable': {
    status: 503,
    title: 'The database cannot be reached',
    remedy: 'Ringline keeps trying; repeat the request. See /health/ready.',
  },
  'shutting-down': { status: 503, title: 'This process is stopping', remedy: 'Repeat the request in a few seconds.' },
  'internal-error': { status: 500, title: 'Ringline failed', remedy: 'Look for `requestId` in the log and report it.' },
} as const satisfies Record<string, { readonly status: number; readonly title: string; readonly remedy: string }>;

export type ProblemType = keyof typeof problems;

export type ProblemDetails = {
  /** A sentence for a person: what is wrong here. */
  readonly detail: string;
  /** The field at fault, as a JSON path such as `devices.0.endpoint`, or a header's name. */
  readonly field?: string;
  /** For 429 and 503: when to come back. Sent as `Retry-After`. */
  readonly retryAfterSeconds?: number;
};

/** A refusal with a stable name. The HTTP filter turns it into an RFC 9457 document. */
export class Problem extends Error {
  readonly status: number;

  constructor(
    readonly type: ProblemType,
    readonly details: ProblemDetails,
  ) {
    super(`${type}: ${details.detail}`);
    this.status = problems[type].status;
  }

  /** The RFC 9457 document. `baseUrl` is where Ringline is reached. */
  toDocument(baseUrl: string): Record<string, unknown> {
    const { title, status, remedy } = problems[this.type];
    const { detail, field, retryAfterSeconds } = this.details;
    return {
      type: `${baseUrl}/problems/${this.type}`,
      title,
      status,
      detail,
      remedy,
      ...(field && { field }),
      ...(retryAfterSeconds && { retryAfterSeconds }),
    };
  }
}
