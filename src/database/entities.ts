import { Agent } from '../agents/agent.entity.js';
import { Device } from '../agents/device.entity.js';
import { BlockedNumber } from '../blocked-numbers/blocked-number.entity.js';
import { CallFact } from '../calls/ledger/call-fact.entity.js';
import { CallLeg } from '../calls/ledger/call-leg.entity.js';
import { CallRequest } from '../calls/ledger/call-request.entity.js';
import { CallRow } from '../calls/ledger/call.entity.js';
import { ContactNumber } from '../contacts/contact-number.entity.js';
import { ContactPick } from '../contacts/contact-pick.entity.js';
import { ContactSyncRow } from '../contacts/contact-sync.entity.js';
import { Contact } from '../contacts/contact.entity.js';
import { CrmConnection } from '../crm/connections/crm-connection.entity.js';
import { CrmToken } from '../crm/connections/crm-token.entity.js';
import { CrmDoorRequest } from '../crm/doors/crm-door-request.entity.js';
import { CrmSync } from '../crm/sync/crm-sync.entity.js';
import { CrmUserRow } from '../crm/sync/crm-user.entity.js';
import { Line } from '../lines/line.entity.js';
import { CallEventRow } from '../outbox/call-event.entity.js';
import { QueueReplay } from '../outbox/queue-replay.entity.js';
import { PbxNodeBoot } from '../pbx-nodes/pbx-node-boot.entity.js';
import { PbxNode } from '../pbx-nodes/pbx-node.entity.js';
import { RecordingLink } from '../recordings/recording-link.entity.js';
import { Recording } from '../recordings/recording.entity.js';
import { StreamToken } from '../screen-pop/stream-token.entity.js';
import { ApiKey } from '../tenancy/api-key.entity.js';
import { AuditEntry } from '../tenancy/audit-entry.entity.js';
import { Tenant } from '../tenancy/tenant.entity.js';
import { Attempt } from '../webhooks/attempt.entity.js';
import { Delivery } from '../webhooks/delivery.entity.js';
import { WebhookEndpoint } from '../webhooks/webhook-endpoint.entity.js';

/** Every table, listed by hand: globs break under the test runner and hide what is missing. */
export const entities = [
  Tenant,
  ApiKey,
  AuditEntry,
  PbxNode,
  PbxNodeBoot,
  Agent,
  Device,
  Line,
  BlockedNumber,
  CallRow,
  CallLeg,
  CallFact,
  CallRequest,
  CallEventRow,
  QueueReplay,
  WebhookEndpoint,
  Delivery,
  Attempt,
  StreamToken,
  Recording,
  RecordingLink,
  CrmConnection,
  CrmToken,
  CrmSync,
  Contact,
  ContactNumber,
  ContactPick,
  ContactSyncRow,
  CrmDoorRequest,
  CrmUserRow,
];
