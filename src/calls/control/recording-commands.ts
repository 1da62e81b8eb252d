import type { Fact } from '../domain/fact.js';
import type { NodeBoot } from '../ledger/told.js';
import type { CommandResult, TelephonySwitch } from '../telephony-switch.js';
import type { Command } from './decision.js';
import { recordingOfName } from './recording-ids.js';

export type RecordingCommand = Extract<Command, { readonly recording: string }>;

/** Asks the switch for it. Each may be given again: none records twice. */
export function giveRecording(
  telephony: TelephonySwitch,
  node: NodeBoot,
  command: RecordingCommand,
): Promise<CommandResult> {
  switch (command.do) {
    case 'start-recording':
      return telephony.startRecording(node, command.room, command.recording, command.limitSeconds);
    case 'pause-recording':
      return telephony.pauseRecording(node, command.recording);
    case 'resume-recording':
      return telephony.resumeRecording(node, command.recording);
    case 'stop-recording':
      return telephony.stopRecording(node, command.recording);
  }
}

/**
 * What is known by the answer to a command; the switch tells of no pause, and its word for a start may be lost.
 * @param turn How often anything was asked about recordings: tells pauses apart.
 */
export function factOfRecording(
  command: RecordingCommand,
  result: CommandResult,
  turn: number,
): Pick<Fact, 'kind' | 'key' | 'source' | 'data'> | null {
  const id = recordingOfName(command.recording)?.recordingId ?? '';
  const isDone = result.kind === 'done';
  switch (command.do) {
    case 'start-recording':
      // The switch's own event has the better time.
      if (isDone) return { kind: 'recording-started', key: id, source: 'reconcile', data: {} };
      if (result.kind === 'unknown') return null;
      return { kind: 'recording-failed', key: id, source: 'ringline', data: { reason: whyNotStarted(result) } };
    case 'pause-recording':
      return isDone ? { kind: 'recording-paused', key: `${id} ${turn}`, source: 'ringline', data: {} } : null;
    case 'resume-recording':
      return isDone ? { kind: 'recording-resumed', key: `${id} ${turn}`, source: 'ringline', data: {} } : null;
    case 'stop-recording':
      // The switch tells when it is done.
      return null;
  }
}

function whyNotStarted(result: CommandResult): string {
  return 'text' in result ? `The PBX refused to record: ${result.text}.` : 'The parties had left before it began.';
}
