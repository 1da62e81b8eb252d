import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { shipCel } from './cel-shipper.js';

const usage = `usage: ship-cel --file FILE --url URL --node ID --key-file FILE [--state FILE]
  --file      the channel event log that Asterisk writes, such as /var/log/asterisk/cel-custom/ringline.csv
  --url       where Ringline is reached, such as https://ringline.example.com
  --node      id of this Asterisk in Ringline (GET /v1/pbx-nodes)
  --key-file  holds an API key of the scope cel:write for this node
  --state     where it is kept how far the log was sent; default: ship-cel.json in the working directory`;

/** `node dist/src/asterisk/cel/ship-cel.js` runs on the host of an Asterisk and sends its log to a Ringline elsewhere. */
function readArguments(): { file: string; url: string; node: string; keyFile: string; state: string } {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { file: text, url: text, node: text, 'key-file': text, state: text } });
  const { file, url, node, 'key-file': keyFile, state = 'ship-cel.json' } = values;
  if (file === undefined || url === undefined || node === undefined || keyFile === undefined)
    throw new Error('an option is missing');
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) throw new Error(`--url ${url} is no http(s) URL`);
  return { file: resolve(file), url, node, keyFile, state: resolve(state) };
}

const report = (line: string): void => void process.stderr.write(`ship-cel: ${line}\n`);
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
const given = argumentsOrNull();
if (given === null) process.exitCode = 2;
else {
  const { file, url, node, keyFile, state } = given;
  report(`sending ${file} to ${url}`);
  await shipCel({ file, url, nodeId: node, keyFile, stateFile: state, report, signal: stopping.signal });
}

function argumentsOrNull(): ReturnType<typeof readArguments> | null {
  try {
    return readArguments();
  } catch (error) {
    report(`${(error as Error).message}\n${usage}`);
    return null;
  }
}
