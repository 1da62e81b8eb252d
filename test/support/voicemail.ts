import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PhoneCall } from '../../lab/baresip.js';
import type { Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';

/** Speaks into a mailbox that has answered or is about to, hangs up, and settles when the message lies in it. */
export async function leaveMessage(lab: Lab, call: PhoneCall, extension: string): Promise<void> {
  const mailbox = join(lab.dir, 'asterisk/spool/voicemail/default', extension);
  const sounds = (folder: string): string[] => {
    const path = join(mailbox, folder);
    return existsSync(path) ? readdirSync(path).filter((name) => name.endsWith('.wav')) : [];
  };
  const before = sounds('INBOX').length;
  await call.waitFor('established');
  // Skips the greeting.
  await call.dtmf('#');
  await waitFor(() => sounds('tmp').length > 0, { what: 'the recording to begin' });
  await call.hangup();
  await waitFor(() => sounds('INBOX').length > before, { what: 'the message to lie in the mailbox' });
}
