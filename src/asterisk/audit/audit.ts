import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { DataSource } from 'typeorm';
import { readConfig, SettingsError, type Config } from '../../config/config.js';
import { createDataSource } from '../../database/data-source.js';
import { PbxNode } from '../../pbx-nodes/pbx-node.entity.js';
import { sendUntilTaken } from '../cel/send-lines.js';
import { ConversationReader, type Conversation } from './conversations.js';
import { openAuditor, type Finding } from './log-auditor.js';
import { filesSince, readLines } from './read-logs.js';
import { auditDocument, tellAudit, type NodeAudit } from './tell-audit.js';

const usage = `usage: audit --from TIME --to TIME [--node ID [--file FILE ...]] [--repair [--url URL] [--key-file FILE]] [--json]
  --from, --to  conversations that began then, such as 2026-11-25T00:00:00Z; TO is not in it
  --node        only this Asterisk (GET /v1/pbx-nodes); default: all whose log is on this host (celFile)
  --file        a file of its log, where that was copied to this host; may be repeated, and be packed by gzip
  --repair      hands the log of what differs to Ringline, which has to run, and compares again
  --url         where Ringline is reached; default: by HOST and PORT
  --key-file    holds an API key of the scope cel:write for this node, or of platform; default: the first platform key
  --json        prints one JSON document
DATABASE_URL and the other settings are those of the service. Exit code: 0 nothing differs, 1 something does, 2 it could not be done.`;

/** So many lines go to Ringline at once, in less than a request may be. */
const LINES_AT_ONCE = 500;
const CHARACTERS_AT_ONCE = 300_000;
/** How long lines are handed over again and again before it is given up, ms. */
const REPAIR_MS = 15_000;
/** One that cannot go on as it was asked to. */
class Refusal extends Error {}

type Asked = {
  readonly from: number;
  readonly to: number;
  readonly node: string | null;
  readonly files: readonly string[];
  readonly repair: boolean;
  readonly url: string | null;
  readonly keyFile: string | null;
  readonly json: boolean;
};

/** `node dist/src/asterisk/audit/audit.js` compares what Asterisk's log tells with the records, and has them repaired. */
async function audit(): Promise<boolean> {
  const asked = readArguments();
  const config = understood(() => readConfig());
  const source = await createDataSource(config.databaseUrl)
    .initialize()
    .catch((error: Error) => {
      throw new Refusal(`PostgreSQL cannot be reached: ${error.message}. Give the DATABASE_URL of the service.`);
    });
  try {
    const audits: NodeAudit[] = [];
    for (const node of await nodesOf(source, asked)) audits.push(await auditNode(source, node, asked, config));
    if (asked.json) console.log(JSON.stringify({ audits: audits.map(auditDocument) }, null, 2));
    else console.log(audits.map(tellAudit).join('\n\n'));
    return audits.every(({ findings }) => findings.length === 0);
  } finally {
    await source.destroy();
  }
}

async function auditNode(source: DataSource, node: PbxNode, asked: Asked, config: Config): Promise<NodeAudit> {
  const { from, to } = asked;
  const reader = new ConversationReader(from, to);
  const files = asked.files.length > 0 ? asked.files : await filesSince(node.celFile ?? '', from).catch(unreadable);
  for (const file of files) await readLines(file, (line) => reader.add(line)).catch(unreadable);
  if (reader.lines > 0 && reader.unreadable === reader.lines)
    throw new Refusal(`${files.join(', ')}: no line is of the form of asterisk/ringline/cel_custom.conf.`);
  const conversations = reader.conversations();
  const compare = async (some: readonly Conversation[]): Promise<{ findings: Finding[]; notOurs: number }> => {
    const auditor = await openAuditor(source, node, from, to);
    if (auditor === null)
      throw new Refusal(`Ringline was never connected to ${node.name}: there is nothing to compare its log with.`);
    const verdicts = [];
    for (const conversation of some) verdicts.push(await auditor.check(conversation));
    return {
      findings: verdicts.flatMap((verdict) => verdict ?? []),
      notOurs: verdicts.filter((verdict) => verdict === null).length,
    };
  };
  const first = await compare(conversations);
  const wrong = first.findings.filter(({ isRepairable }) => isRepairable).map(({ conversation }) => conversation);
  if (asked.repair && wrong.length > 0) await repair(node.id, [...new Set(wrong)], asked, config);
  const differing = [...new Set(first.findings.map(({ conversation }) => conversation))];
  const left = asked.repair ? (await compare(differing)).findings : first.findings;
  return {
    node: { id: node.id, name: node.name },
    files,
    lines: reader.lines,
    unreadable: reader.unreadable,
    conversations: conversations.length,
    notOurs: first.notOurs,
    findings: left,
    repaired: asked.repair ? first.findings : null,
  };
}

/** Hands the lines over on the way that a shipped log takes: the service is the only writer of records. */
async function repair(nodeId: string, wrong: readonly Conversation[], asked: Asked, config: Config): Promise<void> {
  const key = await keyOf(asked, config);
  const host = ['0.0.0.0', '::'].includes(config.http.host) ? '127.0.0.1' : config.http.host;
  const url = asked.url ?? `http://${host}:${config.http.port}`;
  let said = '';
  for (const lines of batchesOf(wrong.flatMap((conversation) => conversation.lines))) {
    const intake = { url, nodeId, key: () => Promise.resolve(key), signal: AbortSignal.timeout(REPAIR_MS) };
    const isTaken = await sendUntilTaken(lines, intake, (line) => (said = line));
    if (!isTaken) throw new Refusal(`Ringline did not take the log: ${said || `no answer from ${url}`}`);
  }
}

function batchesOf(lines: readonly string[]): string[][] {
  const batches: string[][] = [];
  let [batch, characters]: [string[], number] = [[], 0];
  for (const line of lines) {
    if (batch.length === LINES_AT_ONCE || (batch.length > 0 && characters + line.length > CHARACTERS_AT_ONCE)) {
      batches.push(batch);
      [batch, characters] = [[], 0];
    }
    batch.push(line);
    characters += line.length;
  }
  return batch.length === 0 ? batches : [...batches, batch];
}

async function keyOf({ keyFile }: Asked, { bootstrapApiKey, dataDir }: Config): Promise<string> {
  if (keyFile === null && bootstrapApiKey !== undefined) return bootstrapApiKey;
  const file = keyFile ?? join(dataDir, 'bootstrap-key');
  return (
    await readFile(file, 'utf8').catch((error: Error) => {
      throw new Refusal(`no key for --repair: ${error.message}. Name one by --key-file, or set BOOTSTRAP_API_KEY`);
    })
  ).trim();
}

async function nodesOf(source: DataSource, { node, files }: Asked): Promise<readonly PbxNode[]> {
  const all = await source.getRepository(PbxNode).find({ order: { name: 'ASC' } });
  if (node === null) {
    const read = all.filter(({ celFile }) => celFile !== null);
    if (read.length > 0) return read;
    throw new Refusal(
      'The log of no PBX node is on this host (celFile). Name a node by --node and its files by --file.',
    );
  }
  const found = all.find(({ id }) => id === node);
  if (found === undefined)
    throw new Refusal(
      `There is no PBX node ${node}. There are: ${all.map(({ id, name }) => `${id} (${name})`).join(', ')}`,
    );
  if (found.celFile === null && files.length === 0)
    throw new Refusal(
      `The log of ${found.name} is not on this host (celFile): copy its files here, and name them by --file.`,
    );
  return [found];
}

function readArguments(): Asked {
  const [text, flag] = [{ type: 'string' } as const, { type: 'boolean' } as const];
  const { values } = understood(() =>
    parseArgs({
      options: {
        from: text,
        to: text,
        node: text,
        file: { type: 'string', multiple: true },
        repair: flag,
        url: text,
        'key-file': text,
        json: flag,
      },
    }),
  );
  const { from, to, node = null, file: files = [], repair: repairs = false, url = null, json = false } = values;
  if (from === undefined || to === undefined) throw new Refusal(`--from and --to are needed.\n${usage}`);
  if (files.length > 0 && node === null) throw new Refusal('--file needs --node: whose log is it?');
  if (url !== null && !/^https?:/.test(URL.canParse(url) ? url : ''))
    throw new Refusal(`--url ${url} is no http(s) URL.`);
  const [begin, end] = [timeOf('--from', from), timeOf('--to', to)];
  if (begin >= end) throw new Refusal('--from is not before --to.');
  const keyFile = values['key-file'] ?? null;
  return { from: begin, to: end, node, files: files.map((file) => resolve(file)), repair: repairs, url, keyFile, json };
}

/** A time without a zone would be another on another host. */
function timeOf(option: string, text: string): number {
  const at = /(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(at)) throw new Refusal(`${option} ${text} is no time with its zone, such as 2026-11-25T00:00:00Z.`);
  return at;
}

function understood<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Refusal(error instanceof SettingsError ? error.message : `${(error as Error).message}\n${usage}`);
  }
}

function unreadable(error: Error): never {
  throw new Refusal(`The log cannot be read: ${error.message}.`);
}

try {
  process.exitCode = (await audit()) ? 0 : 1;
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  console.error(`audit: ${error.message}`);
  process.exitCode = 2;
}
