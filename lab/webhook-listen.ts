// A receiver for trying out: verifies and prints what comes.
// WEBHOOK_SECRET=whsec_... npm run webhook-listen -- [--port 4000] [--host 127.0.0.1] [--answer 204] [--full]
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';

import { Webhook } from 'standardwebhooks';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '4000' },
    host: { type: 'string', default: '127.0.0.1' },
    /** What it answers to a message that is signed well; try 500, 429 or 410. */
    answer: { type: 'string', default: '204' },
    /** Prints the whole event. */
    full: { type: 'boolean', default: false },
  },
});
const secret = process.env['WEBHOOK_SECRET'];
if (secret === undefined) throw new Error('WEBHOOK_SECRET is not set: give it the secret of the endpoint, whsec_...');
const webhook = new Webhook(secret);

type Event = {
  readonly type: string;
  readonly sequence?: number;
  readonly data: { readonly call?: { readonly id: string } };
};

const seen = new Map<string, number>();

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { headers } = request;
    // Its bytes as they came are what was signed.
    const body = Buffer.concat(chunks).toString();
    const status = receive(headers as Record<string, string>, body);
    response.writeHead(status).end();
  });
}).listen(Number(values.port), values.host, () => {
  process.stdout.write(`listening on http://${values.host}:${values.port}, answering ${values.answer}\n`);
});

/** @returns what to answer */
function receive(headers: Record<string, string>, body: string): number {
  const id = headers['webhook-id'] ?? 'no id';
  let event: Event;
  try {
    event = webhook.verify(body, headers) as Event;
  } catch (error) {
    print(`${id} REFUSED: ${error instanceof Error ? error.message : String(error)}`);
    return 401;
  }
  const times = (seen.get(id) ?? 0) + 1;
  seen.set(id, times);
  const { type, sequence, data } = event;
  print(
    [
      id,
      type,
      ...(data.call === undefined ? [] : [`call ${data.call.id}`, `sequence ${sequence}`]),
      ...(times > 1 ? [`time ${times}`] : []),
      ...(headers['ringline-replay'] === undefined ? [] : ['replay']),
      'signature valid',
    ].join('  '),
  );
  if (values.full) print(JSON.stringify(event, null, 2));
  return Number(values.answer);
}

function print(line: string): void {
  process.stdout.write(`${new Date().toISOString()}  ${line}\n`);
}
