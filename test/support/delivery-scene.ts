import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { DeliveryWorld } from './delivery-world.js';
import { WebhookReceiver } from './webhook-receiver.js';

// What each test of a file finds: one tenant with one endpoint, which is a receiver of its own.
export let world: DeliveryWorld;
export let receiver: WebhookReceiver;
export let tenantId: string;
export let endpoint: { readonly id: string; readonly secret: string };
let lab: Lab;

beforeAll(async () => {
  lab = await startLab({ asterisk: false, redis: false });
  world = await DeliveryWorld.start(await lab.postgres.createDatabase());
});
afterAll(async () => {
  await world?.stop();
  await lab?.stop();
});
beforeEach(async () => {
  receiver = await WebhookReceiver.start();
  tenantId = await world.addTenant();
  endpoint = await world.addEndpoint(tenantId, `${receiver.url}/hook`);
});
afterEach(async () => {
  await world.stopParts();
  await receiver.stop();
  // The next test's senders sweep every endpoint.
  await world.query(`delete from webhook_endpoint`);
});
