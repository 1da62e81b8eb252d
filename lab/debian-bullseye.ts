import { symlink } from 'node:fs/promises';
import { join } from 'node:path';

import { unpackedPackages, type Report, type UnpackedPackages } from './debian-packages.js';

/** Asterisk 16 with all its libraries. bullseye is closed, so the mirror is asked once and never again. */
export function bullseyePackages(report: Report): Promise<UnpackedPackages> {
  return unpackedPackages(
    {
      name: 'asterisk',
      suite: 'bullseye',
      packages: ['asterisk', 'asterisk-modules', 'asterisk-voicemail', 'asterisk-core-sounds-en-gsm'],
      // The package's own set-up script would make this link.
      finish: (root) => symlink('en_US_f_Allison', join(root, 'usr/share/asterisk/sounds/en')),
    },
    report,
  );
}
