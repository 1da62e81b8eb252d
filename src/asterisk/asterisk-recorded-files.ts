import { RecordedFiles, type OpenedRecording, type RecordingPresence } from '../recordings/recorded-files.js';
import type { NodeSessions } from './node-sessions.js';
import type { AriAnswer } from './session/commands.js';

const NOT_CONNECTED = 'the PBX node is not connected';

/** Recordings in Asterisk: live ones, and files in its spool folder, which also outlive its restart. */
export class AsteriskRecordedFiles extends RecordedFiles {
  constructor(private readonly sessions: NodeSessions) {
    super();
  }

  async presenceOf(nodeId: string, recording: string): Promise<RecordingPresence> {
    const live = await this.#send(nodeId, 'GET', livePath(recording));
    if (isStatus(live, 200)) return 'live';
    // A live one has its file already, so this is asked second.
    const stored = isStatus(live, 404) ? await this.#send(nodeId, 'GET', storedPath(recording)) : live;
    if (isStatus(stored, 200)) return 'stored';
    return isStatus(stored, 404) ? 'absent' : 'unknown';
  }

  async stop(nodeId: string, recording: string): Promise<void> {
    await this.#send(nodeId, 'POST', `${livePath(recording)}/stop`);
  }

  async open(nodeId: string, recording: string, signal: AbortSignal): Promise<OpenedRecording> {
    const commands = this.sessions.find(nodeId)?.commands;
    if (commands === undefined) return { kind: 'unreachable', text: NOT_CONNECTED };
    const download = await commands.download(`${storedPath(recording)}/file`, signal);
    switch (download.kind) {
      case 'opened':
        return download;
      case 'answered':
        return download.status === 404
          ? { kind: 'missing' }
          : { kind: 'unreachable', text: `the PBX answered ${download.status}` };
      case 'failed':
        return { kind: 'unreachable', text: download.text };
    }
  }

  async remove(nodeId: string, recording: string): Promise<boolean> {
    const answer = await this.#send(nodeId, 'DELETE', storedPath(recording));
    return isStatus(answer, 204) || isStatus(answer, 404);
  }

  async #send(nodeId: string, method: 'GET' | 'POST' | 'DELETE', path: string): Promise<AriAnswer> {
    const commands = this.sessions.find(nodeId)?.commands;
    return commands === undefined ? { kind: 'not-sent', text: NOT_CONNECTED } : commands.send(method, path);
  }
}

function isStatus(answer: AriAnswer, status: number): boolean {
  return answer.kind === 'answered' && answer.status === status;
}

function livePath(recording: string): string {
  return `/recordings/live/${encodeURIComponent(recording)}`;
}

function storedPath(recording: string): string {
  return `/recordings/stored/${encodeURIComponent(recording)}`;
}
