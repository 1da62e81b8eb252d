// Ringline without its worker part, so that the processor time of each can be told apart.
import { createApp } from '../src/create-app.js';
import { readConfig } from '../src/config/config.js';

const config = readConfig();
const app = await createApp(config, { parts: { api: true, telephony: true, worker: false } });
process.once('SIGTERM', () => void app.close().then(() => process.exit(0)));
await app.listen(config.http.port, config.http.host);
// With `--expose-gc`: what is in use afterwards is really held.
process.on('SIGUSR2', () => globalThis.gc?.());
