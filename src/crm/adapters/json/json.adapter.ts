import { defineCrmAdapter, type CrmCapabilities } from '../../port/crm-adapter.js';
import { readSignedClick } from '../../port/signed-click.js';
import { mentions } from './check-description.js';
import { fits } from './json-api.js';
import { openSession } from './json-session.js';
import { authOf, jsonSettings, siteOf, type JsonSettings } from './json-settings.js';

/** Any CRM with an API of JSON over HTTP, described by data in the connection's settings. */
export const json = defineCrmAdapter({
  name: 'json',
  title: 'Any CRM, described by data',
  settings: jsonSettings,
  secrets: ['password', 'token', 'clientSecret', 'refreshToken', 'clickSecret'],
  capabilities,
  baseUrl: (settings) => `${siteOf(settings)}${settings.description.basePath}`,
  auth: (settings) => {
    const rules = settings.description.errors.filter(({ verdict }) => verdict === 'token-expired');
    return authOf(settings, rules.length === 0 ? undefined : (answer) => rules.some((rule) => fits(rule, answer)));
  },
  connect: openSession,
  parseInbound: (request, { clickSecret, description }) =>
    readSignedClick(request, clickSecret, description.contacts?.find.map(({ type }) => type) ?? []),
});

/** What the description says how to do. */
function capabilities({ description, clickSecret }: JsonSettings): CrmCapabilities {
  const { contacts, creates, users, pop, call, recording, note, task, limits } = description;
  const kinds = ['lead', 'contact', 'unsorted'] as const;
  return {
    live: call.live,
    updateAfterClose: (call.update ?? call.correct) !== undefined,
    idempotency: call.find === undefined ? 'key' : 'find',
    search: contacts !== undefined,
    contactSync: false,
    users: users !== undefined,
    pop: pop !== undefined,
    recording: recordingOf(recording),
    note: note !== undefined ? 'beside' : call.read !== undefined ? 'in-call' : 'none',
    creates: kinds.filter((kind) => creates[kind] !== undefined),
    tasks: task !== undefined,
    remove: call.remove !== undefined,
    cost: mentions(call, 'call.cost.amount'),
    doors: clickSecret === null ? [] : ['dial'],
    limits,
  };
}

function recordingOf({ link, upload }: JsonSettings['description']['recording']): CrmCapabilities['recording'] {
  if (link !== undefined && upload !== undefined) return 'both';
  if (link !== undefined) return 'link';
  return upload === undefined ? 'none' : 'upload';
}
