import { connect } from 'node:net';

/** An event of baresip's module ctrl_tcp. */
export interface BaresipEvent {
  /** For example "CALL_ESTABLISHED". */
  readonly type: string;
  /** SIP's Call-ID; not on events about the registration. */
  readonly id?: string;
  readonly direction?: 'incoming' | 'outgoing';
  readonly peeruri?: string;
  /** What we do with sound, as agreed with the other side: "sendrecv", "sendonly"... */
  readonly remoteaudiodir?: string;
  readonly param?: string;
}

export interface BaresipControl {
  /** Gives what the command prints; throws when baresip says that it failed. */
  command(name: string, parameters?: string): Promise<string>;
}

interface Response {
  readonly token: string;
  readonly ok: boolean;
  readonly data: string;
}

const PATIENCE_MS = 5_000;

/**
 * Connects to a baresip that listens on `port`; rejects when there is none. One command is under way at a time, because
 * baresip 1.1 reads a second one in the same packet wrongly.
 */
export async function controlBaresip(port: number, onEvent: (event: BaresipEvent) => void): Promise<BaresipControl> {
  const socket = connect(port, '127.0.0.1');
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  socket.on('error', () => undefined);
  let answered: ((response: Response) => void) | undefined;
  let lost: ((error: Error) => void) | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let commands = 0;

  const read = netstrings((text) => {
    const message = JSON.parse(text) as BaresipEvent & Response & { readonly event?: boolean };
    if (message.event) onEvent(message);
    else answered?.(message);
  });
  socket.on('data', read);
  socket.on('close', () => lost?.(new Error('baresip closed its control connection')));

  const run = async (name: string, parameters: string | undefined): Promise<string> => {
    if (socket.destroyed) throw new Error(`baresip is gone and cannot ${name}`);
    commands += 1;
    const token = String(commands);
    const { ok, data } = await new Promise<Response>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`baresip did not answer '${name}'`)), PATIENCE_MS);
      lost = (error) => {
        clearTimeout(timer);
        reject(error);
      };
      answered = (response) => {
        // One that comes after its time.
        if (response.token !== token) return;
        clearTimeout(timer);
        resolve(response);
      };
      const json = JSON.stringify({ command: name, token, ...(parameters !== undefined && { params: parameters }) });
      socket.write(`${Buffer.byteLength(json)}:${json},`);
    });
    if (!ok) throw new Error(`baresip could not ${name} ${parameters ?? ''}: ${data.trim()}`);
    return data;
  };

  return {
    command(name, parameters) {
      const result = last.then(() => run(name, parameters));
      last = result.catch(() => undefined);
      return result;
    },
  };
}

/** Takes a stream apart: "<length>:<text>,". */
function netstrings(onText: (text: string) => void): (chunk: Buffer) => void {
  let pending = Buffer.alloc(0);
  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    for (;;) {
      const colon = pending.indexOf(':');
      const end = colon + 1 + Number(pending.toString('latin1', 0, colon));
      if (colon < 0 || pending.length <= end) return;
      onText(pending.toString('utf8', colon + 1, end));
      pending = pending.subarray(end + 1);
    }
  };
}
