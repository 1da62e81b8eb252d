import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PhoneCall } from '../../lab/baresip.js';
import type { Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';

/** Names of the messages that lie in a mailbox, or in another folder of it. */
export function messagesOf(lab: Lab, extension: string, folder = 'INBOX'): readonly string[] {
  const path = join(lab.dir, 'asterisk/spool/voicemail/default', extension, folder);
  return existsSync(path) ? readdirSync(path).filter((name) => name.endsWith('.wav')) : [];
}

/** Speaks into a mailbox that has answered or is about to, hangs up, and settles when the message lies in it. */
export async function leaveMessage(lab: Lab, call: PhoneCall, extension: string): Promise<void> {
  const before = messagesOf(lab, extension).length;
  await call.waitFor('established');
  // Skips the greeting.
  await call.dtmf('#');
  await waitFor(() => messagesOf(lab, extension, 'tmp').length > 0, { what: 'the recording to begin' });
  await call.hangup();
  await waitFor(() => messagesOf(lab, extension).length > before, { what: 'the message to lie in the mailbox' });
}
