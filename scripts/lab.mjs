// npm run lab: a real Asterisk, PostgreSQL and Redis that stay up until Ctrl-C.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { compile } from './compile.mjs';
import { ensureInstalled } from './install.mjs';
import { requireNode } from './project.mjs';

requireNode();
try {
  await ensureInstalled();
  const { startLab } = await import(pathToFileURL(join(await compile(), 'lab/start-lab.js')).href);
  const lab = await startLab();
  const { asterisk, postgres, redis, ports } = lab;
  console.log(
    [
      `Asterisk ${asterisk.version}    ${asterisk.ariUrl}  user ${asterisk.username}, password ${asterisk.password}`,
      `                    SIP 127.0.0.1:${asterisk.sipPort}, calls to the trunk go to 127.0.0.1:${ports.trunk}`,
      `PostgreSQL ${postgres.version}    ${postgres.url}`,
      `Redis ${redis.version}         ${redis.url}`,
      `files               ${lab.dir}`,
      'Ctrl-C ends it.',
    ].join('\n'),
  );
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void lab.stop().then(() => process.exit(0)));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
