import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { givenAriPassword } from '../../config/ari-password.js';
import { didSchema } from '../../lines/line.schema.js';
import { ariUrlSchema } from '../../pbx-nodes/pbx-node.schema.js';
import { AriCommands } from '../session/commands.js';
import { NodeRefused } from '../start-up-report.js';
import { lookAtPbx } from './look-at-pbx.js';
import { proposeConfiguration, proposeRequests } from './propose-setup.js';
import { tellPbx } from './tell-pbx.js';

const usage = `usage: inspect-pbx --url URL --user NAME [--password-file FILE] [--app NAME] [--did NUMBER ...]
  --url            base of ARI, such as http://127.0.0.1:8088/ari
  --user           the ARI user of ari.conf
  --password-file  holds the password; without it the variable ARI_PASSWORD does
  --app            the ARI app that Ringline is to use; default: ringline
  --did            a number as the dial plan passes it; may be repeated`;

/** What can be done, in the words of this command. */
const remedies: Partial<Record<NodeRefused['code'], string>> = {
  unreachable: 'Start Asterisk; check --url, http.conf (enabled, bindaddr) and the firewall between the two.',
  'credentials-refused': 'Give --user and the password as in ari.conf, and reload res_ari.so where they are new.',
  'not-asterisk':
    'Give the address of ARI itself, such as http://127.0.0.1:8088/ari, and see that ari.conf enables it.',
};

/** One that cannot go on as it was asked to. */
class Refusal extends Error {}

type Asked = {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly app: string;
  readonly dids: readonly string[];
};

/** `node dist/src/asterisk/inspect/inspect-pbx.js` looks at an Asterisk and tells what Ringline sees of it. Changes nothing. */
async function inspect(): Promise<void> {
  const { url, user, password, app, dids } = await readArguments();
  const commands = new AriCommands({ ariUrl: url, username: user, password });
  try {
    const view = await lookAtPbx(commands, url, dids);
    console.log(tellPbx(view, url, app));
    console.log(`To write into Asterisk’s configuration\n\n${proposeConfiguration(view, user)}`);
    console.log(`To tell Ringline, in bash\n\n${proposeRequests(view, url, user)}`);
  } finally {
    await commands.close();
  }
}

async function readArguments(): Promise<Asked> {
  const text = { type: 'string' } as const;
  const { values } = understood(() =>
    parseArgs({
      options: { url: text, user: text, 'password-file': text, app: text, did: { type: 'string', multiple: true } },
    }),
  );
  const { url, user, 'password-file': file, app = 'ringline', did: dids = [] } = values;
  if (url === undefined || user === undefined) throw new Refusal(`--url and --user are needed.\n${usage}`);
  if (!ariUrlSchema.safeParse(url).success)
    throw new Refusal(`--url ${url} is no URL such as http://127.0.0.1:8088/ari, without user and query.`);
  for (const did of dids) if (!didSchema.safeParse(did).success) throw new Refusal(`--did ${did} is no number.`);
  const password = file === undefined ? givenAriPassword() : await readPassword(file);
  if (password === null)
    throw new Refusal('No password is given. Name its file by --password-file, or set ARI_PASSWORD.');
  return { url, user, password, app, dids };
}

function understood<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Refusal(`${(error as Error).message}\n${usage}`);
  }
}

/** A line break at its end is the editor's. */
async function readPassword(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new Refusal(`--password-file cannot be read: ${error.message}.`);
  });
  return text.replace(/\r?\n$/, '');
}

try {
  await inspect();
} catch (error) {
  const isKnown = error instanceof Refusal || error instanceof NodeRefused;
  if (!isKnown) throw error;
  const remedy = error instanceof NodeRefused ? `. ${remedies[error.code] ?? error.remedy}` : '';
  console.error(`inspect-pbx: ${error.message}${remedy}`);
  process.exitCode = 1;
}
