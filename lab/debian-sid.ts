import { symlink } from 'node:fs/promises';
import { join } from 'node:path';

import { unpackedPackages, type Report, type UnpackedPackages } from './debian-packages.js';

/**
 * Asterisk 22, SIPp, baresip and Redis of one Debian suite, with all their libraries. sid is the only suite with an
 * Asterisk that is still maintained; it moves, so the mirror is asked again after a week.
 */
export function sidPackages(report: Report): Promise<UnpackedPackages> {
  return unpackedPackages(
    {
      name: 'asterisk',
      suite: 'sid',
      packages: [
        'asterisk',
        'asterisk-modules',
        'asterisk-core-sounds-en-gsm',
        'sip-tester',
        'baresip-core',
        'redis-server',
      ],
      refreshAfterDays: 7,
      // The package's own set-up script would make this link.
      finish: (root) => symlink('en_US_f_Allison', join(root, 'usr/share/asterisk/sounds/en')),
    },
    report,
  );
}
