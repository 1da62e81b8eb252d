import type { Company } from '../company.js';

export interface SeenPop {
  /** When the screen read it, milliseconds since 1970. */
  readonly at: number;
  readonly id: string;
  readonly callId: string;
  readonly caller: string | null;
  /** Status with which Ringline took the acknowledgement. */
  readonly ackStatus: number;
}

/** An agent's page: it reads the stream, shows pops and says that they were painted. */
export interface AgentScreen {
  readonly pops: readonly SeenPop[];
  onPop(listener: (pop: SeenPop) => void): void;
  stop(): void;
}

/** Opens the stream of an agent, as docs/stream.md tells. Settles when the snapshot came. */
export async function openAgentScreen(company: Company, url: string, agentId: string): Promise<AgentScreen> {
  const issued = await company.call('POST', '/v1/stream-tokens', { body: { agentId } });
  let token = issued.body.token as string;
  const closing = new AbortController();
  const pops: SeenPop[] = [];
  const listeners: Array<(pop: SeenPop) => void> = [];

  const showPop = async (pop: { id: string; callId: string; from: { e164: string | null } }): Promise<void> => {
    const at = Date.now();
    const ack = await fetch(`${url}/v1/pops/${pop.id}/ack`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      signal: closing.signal,
    });
    const seen = { at, id: pop.id, callId: pop.callId, caller: pop.from.e164, ackStatus: ack.status };
    pops.push(seen);
    for (const listener of listeners) listener(seen);
  };

  const stream = await fetch(`${url}/v1/stream?token=${token}`, { signal: closing.signal });
  if (!stream.ok || !stream.body) throw new Error(`the agent's stream was refused with ${stream.status}`);
  const snapshot = new Promise<void>((resolve, reject) => {
    const read = async (body: ReadableStream<Uint8Array>): Promise<void> => {
      for await (const { event, data } of eventsIn(body)) {
        if (event === 'snapshot') resolve();
        if (event === 'token') ({ token } = JSON.parse(data) as { token: string });
        if (event === 'pop') void showPop(JSON.parse(data)).catch(() => undefined);
      }
    };
    read(stream.body as ReadableStream<Uint8Array>).then(
      () => reject(new Error("the agent's stream ended")),
      (error: Error) => reject(error),
    );
  });
  await snapshot;
  // It ends with the demo; by then nobody waits for the snapshot.
  snapshot.catch(() => undefined);

  return {
    pops,
    onPop: (listener) => listeners.push(listener),
    stop: () => closing.abort(),
  };
}

async function* eventsIn(body: ReadableStream<Uint8Array>): AsyncGenerator<{ event: string; data: string }> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const lines = text.slice(0, end).split('\n');
      text = text.slice(end + 2);
      const field = (name: string) =>
        lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).trimStart());
      yield { event: field('event')[0] ?? 'message', data: field('data').join('\n') };
    }
  }
}
