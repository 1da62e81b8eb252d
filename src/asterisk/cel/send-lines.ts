import { pause } from '../../common/pause.js';

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;
/** Longer than the service waits for its database. */
const ANSWER_WITHIN_MS = 30_000;

/** Where lines of a log are taken: `POST /v1/pbx-nodes/{id}/cel`. */
export type Intake = {
  /** Where Ringline is reached. */
  readonly url: string;
  readonly nodeId: string;
  /** Asked for with each request. */
  readonly key: () => Promise<string>;
  readonly signal: AbortSignal;
};

/** Sends lines again and again, with longer and longer waits. False when it was given up because of the signal. */
export async function sendUntilTaken(
  lines: readonly string[],
  { url, nodeId, key, signal }: Intake,
  tell: (line: string) => void,
): Promise<boolean> {
  for (let delay = FIRST_RETRY_MS; !signal.aborted; delay = Math.min(delay * 2, LONGEST_RETRY_MS)) {
    let waitMs = delay * (0.75 + Math.random() / 2);
    try {
      const answer = await fetch(`${url.replace(/\/+$/, '')}/v1/pbx-nodes/${encodeURIComponent(nodeId)}/cel`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${await key()}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ lines }),
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
      });
      const text = await answer.text();
      if (answer.ok) {
        tell(`lines are taken by ${url}`);
        return true;
      }
      tell(`lines are not taken (${answer.status}), trying on: ${detailOf(text)}`);
      waitMs = Math.max(waitMs, Math.min(Number(answer.headers.get('retry-after') ?? 0) * 1000, LONGEST_RETRY_MS));
    } catch (error) {
      const { message, cause } = error as Error;
      if (!signal.aborted)
        tell(`lines cannot be sent, trying on: ${message}${cause instanceof Error ? ` (${cause.message})` : ''}`);
    }
    await pause(waitMs, signal);
  }
  return false;
}

function detailOf(body: string): string {
  try {
    const { detail, remedy } = JSON.parse(body) as { detail?: unknown; remedy?: unknown };
    return `${String(detail)} ${String(remedy)}`;
  } catch {
    return body.slice(0, 200);
  }
}
