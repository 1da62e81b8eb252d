import { e164Pattern } from '../../numbers/numbering-plan.js';
import { DEVICE_STATES, isRunning, neededOf } from '../start-up-report.js';
import type { PbxView, SeenEndpoint, SeenNumber } from './look-at-pbx.js';
import { hasCdrel, isDevice, plain } from './tell-pbx.js';

/** What to write into Asterisk's configuration, as far as it is not there. */
export function proposeConfiguration(view: PbxView, username: string): string {
  const { modules, hasLinkedId } = view;
  const parts = [
    [
      `ari.conf${hasLinkedId === true ? ' (channelvars are there already)' : ''}, then \`module reload res_ari.so\`:`,
      '  [general]',
      '  enabled=yes',
      '  channelvars=CHANNEL(linkedid)',
      '  websocket_write_timeout=5000',
      `  [${username}]`,
      '  type=user',
      '  read_only=no',
      '  password=...',
    ],
  ];
  const loads = modules === null ? [] : neededOf(modules).filter(({ running }) => !running);
  const lines = loads.map(({ name }) => `  load=${name}`);
  if (modules !== null && isRunning(modules, DEVICE_STATES)) lines.push(`  noload=${DEVICE_STATES}`);
  if (lines.length > 0) parts.push(['modules.conf, in [modules], then restart Asterisk when it may be:', ...lines]);
  const mapping = hasCdrel(view.identity.version) ? 'cel_custom.conf' : 'cel_custom-16.conf';
  parts.push([
    'If Asterisk’s own log is wanted, with the folder asterisk/ringline beside your configuration:',
    '  cel.conf, after [general]:  #include "ringline/cel.conf"',
    `  cel_custom.conf:            #include "ringline/${mapping}"`,
  ]);
  return parts.map((part) => `${part.join('\n')}\n`).join('\n');
}

/** Requests that add the PBX, an agent for each phone and a line for each number, as a script for bash. */
export function proposeRequests(view: PbxView, ariUrl: string, username: string): string {
  const phones = (view.endpoints ?? []).filter(({ name, guess }) => guess.kind === 'phone' && isDevice(name));
  const trunks = (view.endpoints ?? []).filter(({ name, guess }) => guess.kind === 'trunk' && isDevice(name));
  const node = { name: 'office', ariUrl, username, password: variable('ARI_PASSWORD'), observe: true };
  return [
    ': "${RINGLINE:?where Ringline is reached}" "${KEY:?a platform key}" "${TENANT:?id of the tenant}" "${ARI_PASSWORD:?}"',
    'api() {',
    '  curl -sS --fail-with-body -H "Authorization: Bearer $KEY" -H "Ringline-Tenant: $TENANT" \\',
    '    -H "Content-Type: application/json" "$@"',
    '}',
    `id() { grep -o '"id":"[^"]*"' | head -n 1 | cut -d '"' -f 4; }`,
    '',
    `NODE=$(api "$RINGLINE/v1/pbx-nodes" -d ${json(node)} | id)`,
    ...phones.map(agentRequest),
    ...view.numbers.flatMap((number) => lineRequest(number, phones, trunks)),
    '',
  ].join('\n');
}

function agentRequest({ name, callerName }: SeenEndpoint, place: number): string {
  const agent = {
    name: plain(callerName).trim().slice(0, 200) || name,
    devices: [{ kind: 'sip', pbxNodeId: variable('NODE'), endpoint: name }],
  };
  return `AGENT${place + 1}=$(api "$RINGLINE/v1/agents" -d ${json(agent)} | id)`;
}

function lineRequest(
  { did }: SeenNumber,
  phones: readonly SeenEndpoint[],
  trunks: readonly SeenEndpoint[],
): readonly string[] {
  const number = [did, `+${did}`].find((one) => e164Pattern.test(one));
  if (phones.length === 0) return [`# ${did}: a line needs an agent, and no phone was found.`];
  const [trunk] = trunks;
  const request = {
    pbxNodeId: variable('NODE'),
    number: number ?? '+...',
    did,
    name: did,
    target: { agentIds: [variable('AGENT1')] },
    outbound: trunk === undefined ? null : { endpoint: trunk.name, format: 'plus-e164' },
  };
  const text = `api "$RINGLINE/v1/lines" -d ${json(request)}`;
  const about = [
    `# ${did}: choose who rings (agentIds)`,
    ...(trunks.length > 1 ? [`, by which trunk it calls out (${trunks.map(({ name }) => name).join(', ')})`] : []),
    ...(trunk === undefined ? [] : [', and how that wants numbers (format)']),
    '.',
  ].join('');
  if (number === undefined) return [about, '# Its number in E.164 cannot be told from it: write it.', `# ${text}`];
  return [about, text];
}

/** Stands for a variable of the shell inside a document. */
function variable(name: string): string {
  return `\0${name}\0`;
}

/** A document as one word of the shell, whatever is in it. */
function json(value: unknown): string {
  return `'${JSON.stringify(value)
    .replaceAll(`'`, `'\\''`)
    .replaceAll(/\\u0000([A-Z_]+\d*)\\u0000/g, `'"$$$1"'`)}'`;
}
