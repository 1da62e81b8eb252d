import { guessParty, type PartyGuess } from '../../calls/domain/party-guess.js';
import { readChannels, type AriChannel } from '../ari-frame.js';
import { linkedIdOf } from '../observer/translate-observed.js';
import type { AriCommands } from '../session/commands.js';
import {
  identify,
  readModules,
  versionFault,
  type AsteriskIdentity,
  type AsteriskModule,
  type NodeWarning,
} from '../start-up-report.js';

/** Endpoints asked for side by side. */
const AT_ONCE = 8;

/** What ARI shows of one PBX. Null is what cannot be seen. */
export type PbxView = {
  readonly identity: AsteriskIdentity;
  /** What is wrong with its version. */
  readonly fault: NodeWarning | null;
  readonly modules: readonly AsteriskModule[] | null;
  readonly endpoints: readonly SeenEndpoint[] | null;
  /** Endpoints of each technology besides PJSIP. */
  readonly otherEndpoints: Readonly<Record<string, number>>;
  /** Names of the apps that are registered. */
  readonly apps: readonly string[] | null;
  /** How many channels are there now. */
  readonly channels: number | null;
  /** Whether events carry the linked id, as the channels that are there now show it. */
  readonly hasLinkedId: boolean | null;
  /** What cel.conf says of `enable`; an empty text where it says nothing. */
  readonly celEnabled: string | null;
  readonly numbers: readonly SeenNumber[];
};

export type SeenEndpoint = {
  readonly name: string;
  readonly state: string;
  /** Where its calls come into the dial plan. */
  readonly context: string | null;
  /** Who it says it is. */
  readonly callerName: string;
  readonly guess: PartyGuess;
};

export type SeenNumber = {
  readonly did: string;
  /** Whether the fall-back has an extension for it. */
  readonly isInFallback: boolean | null;
};

/**
 * Looks at a PBX over ARI. Only ever reads.
 * @param dids Numbers as the dial plan passes them.
 * @throws {NodeRefused} when it does not answer, refuses the user, or is no Asterisk.
 */
export async function lookAtPbx(commands: AriCommands, ariUrl: string, dids: readonly string[]): Promise<PbxView> {
  const identity = await identify(commands, ariUrl);
  const [modules, channelList, applications, endpointList] = await Promise.all([
    readModules(commands),
    readList(commands, '/channels'),
    readList(commands, '/applications'),
    readList(commands, '/endpoints'),
  ]);
  const channels = channelList === null ? null : readChannels(channelList);
  const listed = endpointList?.flatMap((one) => toListed(one)) ?? null;
  const ask = (expression: string): Promise<string | null> => evaluate(commands, channels ?? [], expression);
  return {
    identity,
    fault: versionFault(identity.version),
    modules,
    endpoints: listed === null ? null : await seeEndpoints(commands, listed),
    otherEndpoints: countOthers(listed ?? []),
    apps: applications?.flatMap((one) => textOf(one, 'name') ?? []) ?? null,
    channels: channels?.length ?? null,
    hasLinkedId:
      channels === null || channels.length === 0 ? null : channels.some((channel) => linkedIdOf(channel) !== null),
    celEnabled: await ask('AST_CONFIG(cel.conf,general,enable)'),
    numbers: await Promise.all(
      dids.map(async (did) => {
        const found = await ask(`DIALPLAN_EXISTS(ringline-fallback,${did},1)`);
        return { did, isInFallback: found === null ? null : found === '1' };
      }),
    ),
  };
}

type Listed = { readonly technology: string; readonly name: string; readonly state: string };

function toListed(one: unknown): Listed[] {
  const [technology, name, state] = [textOf(one, 'technology'), textOf(one, 'resource'), textOf(one, 'state')];
  return technology === null || name === null ? [] : [{ technology, name, state: state ?? 'unknown' }];
}

function countOthers(listed: readonly Listed[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { technology } of listed) if (technology !== 'PJSIP') counts[technology] = (counts[technology] ?? 0) + 1;
  return counts;
}

async function seeEndpoints(commands: AriCommands, listed: readonly Listed[]): Promise<SeenEndpoint[]> {
  const sip = listed.filter(({ technology }) => technology === 'PJSIP').toSorted((a, b) => byName(a.name, b.name));
  const seen: SeenEndpoint[] = [];
  for (let done = 0; done < sip.length; done += AT_ONCE)
    seen.push(...(await Promise.all(sip.slice(done, done + AT_ONCE).map((one) => seeEndpoint(commands, one)))));
  return seen;
}

const { compare: byName } = new Intl.Collator('en', { numeric: true });

/** Asterisk shows how an endpoint is configured as the object that it made of it. */
async function seeEndpoint(commands: AriCommands, { name, state }: Listed): Promise<SeenEndpoint> {
  const path = `/asterisk/config/dynamic/res_pjsip/endpoint/${encodeURIComponent(name)}`;
  const attributes = new Map(
    ((await readList(commands, path)) ?? []).map((one) => [textOf(one, 'attribute'), textOf(one, 'value')]),
  );
  const context = attributes.get('context') ?? null;
  // "Anna Berger" <1001>
  const [, callerName = '', callerNumber = ''] =
    /^\s*"?(.*?)"?\s*<([^<>]*)>\s*$/.exec(attributes.get('callerid') ?? '') ?? [];
  return { name, state, context, callerName, guess: guessParty(name, context, callerNumber) };
}

/**
 * Asterisk works out the functions of its dial plan for a channel only. Reading one changes nothing. Null where no channel is
 * there, it has just gone, or the function is not loaded.
 */
async function evaluate(
  commands: AriCommands,
  channels: readonly AriChannel[],
  expression: string,
): Promise<string | null> {
  const channel = channels.at(-1);
  if (channel === undefined) return null;
  const path = `/channels/${encodeURIComponent(channel.id)}/variable?variable=${encodeURIComponent(expression)}`;
  const answer = await commands.send('GET', path);
  return answer.kind === 'answered' && answer.status === 200 ? textOf(answer.body, 'value') : null;
}

async function readList(commands: AriCommands, path: string): Promise<readonly unknown[] | null> {
  const answer = await commands.send('GET', path);
  return answer.kind === 'answered' && answer.status === 200 && Array.isArray(answer.body) ? answer.body : null;
}

function textOf(value: unknown, key: string): string | null {
  const part = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
  return typeof part === 'string' ? part : null;
}
