import { constants, setPriority } from 'node:os';
import { createLog } from './common/logger.js';
import { readConfig, SettingsError, type Config } from './config/config.js';

/** A stop that takes longer is cut off, ms: supervisors kill after about this time anyway. */
const LONGEST_STOP_MS = 30_000;

const config = readConfigOrExit();
const log = createLog(config.logLevel);
// On a machine that is full a delivery may wait; a caller may not.
if (config.role === 'worker') setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

try {
  // Loaded after the settings were read: half a second of frameworks is too long a wait for "PORT is wrong".
  const { createApp } = await import('./create-app.js');
  const app = await createApp(config, { log });
  const stop = (signal: NodeJS.Signals): void => {
    process.once(signal, () => process.exit(1));
    log.info({ signal }, 'stopping');
    setTimeout(() => {
      log.fatal(`did not stop within ${LONGEST_STOP_MS} ms`);
      process.exit(1);
    }, LONGEST_STOP_MS).unref();
    app.close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.fatal({ error }, 'failed to stop');
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  await app.listen(config.http.port, config.http.host);
  log.info({ url: config.http.publicUrl, role: config.role, bootMs: Math.round(process.uptime() * 1000) }, 'listening');
} catch (error) {
  log.fatal({ error }, 'Ringline could not start');
  process.exit(1);
}

function readConfigOrExit(): Config {
  try {
    return readConfig();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}
