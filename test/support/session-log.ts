import { waitFor } from '../../lab/wait-for.js';
import type { AriFrame } from '../../src/asterisk/ari-frame.js';
import type { SessionHandlers } from '../../src/asterisk/session/ari-session.js';

/** Writes down what a session tells. */
export class SessionLog implements SessionHandlers {
  readonly frames: AriFrame[] = [];
  readonly bad: string[] = [];
  readonly closed: string[] = [];
  readonly onFrame = (frame: AriFrame): void => void this.frames.push(frame);
  readonly onBadFrame = (reason: string): void => void this.bad.push(reason);
  readonly onClosed = (reason: string): void => void this.closed.push(reason);

  frame(type: string, timeoutMs = 10_000): Promise<AriFrame> {
    return waitFor(() => this.frames.find((frame) => frame.type === type), { what: `the event ${type}`, timeoutMs });
  }

  end(timeoutMs = 15_000): Promise<string> {
    return waitFor(() => this.closed[0], { what: 'the end of the session', timeoutMs });
  }
}
