import { Initial1790000000000 } from './1790000000000-initial.js';
import { BlockedNumbers1790100000000 } from './1790100000000-blocked-numbers.js';
import { Recordings1790200000000 } from './1790200000000-recordings.js';
import { Cel1790300000000 } from './1790300000000-cel.js';
import { PhoneTransfers1790400000000 } from './1790400000000-phone-transfers.js';
import { WebhookTrust1790500000000 } from './1790500000000-webhook-trust.js';
import { OutsideDevices1790700000000 } from './1790700000000-outside-devices.js';
import { ExtensionContexts1790800000000 } from './1790800000000-extension-contexts.js';
import { RoomForClaims1790900000000 } from './1790900000000-room-for-claims.js';
import { CrmConnections1791000000000 } from './1791000000000-crm-connections.js';
import { CrmSyncWorker1791100000000 } from './1791100000000-crm-sync-worker.js';
import { CrmDoors1791200000000 } from './1791200000000-crm-doors.js';
import { Contacts1791300000000 } from './1791300000000-contacts.js';

/** Every migration, in order, listed by hand. */
export const migrations = [
  Initial1790000000000,
  BlockedNumbers1790100000000,
  Recordings1790200000000,
  Cel1790300000000,
  PhoneTransfers1790400000000,
  WebhookTrust1790500000000,
  OutsideDevices1790700000000,
  ExtensionContexts1790800000000,
  RoomForClaims1790900000000,
  CrmConnections1791000000000,
  CrmSyncWorker1791100000000,
  CrmDoors1791200000000,
  Contacts1791300000000,
];
