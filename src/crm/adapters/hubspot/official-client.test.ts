import * as associations from '@hubspot/api-client/lib/codegen/crm/associations/v4/index.js';
import * as contacts from '@hubspot/api-client/lib/codegen/crm/contacts/index.js';
import * as calls from '@hubspot/api-client/lib/codegen/crm/objects/calls/index.js';
import * as owners from '@hubspot/api-client/lib/codegen/crm/owners/index.js';
import * as properties from '@hubspot/api-client/lib/codegen/crm/properties/index.js';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startSimulator, type HubspotSimulator } from './simulator.test-support.js';

/**
 * What the simulator takes and gives is held against the vendor's own client. It asks by the versions before those by date, which
 * the simulator answers alike; the client for Node 22 asks by date.
 */
const idProperty = 'ringline_call_id';
let crm: HubspotSimulator;

beforeEach(async () => {
  crm = await startSimulator({ limits: [] });
});
afterEach(() => crm.stop());

const authMethods = (token: string) => ({ oauth2: { accessToken: token } });
const url = (): string => String(crm.settings['apiUrl']);

function callsOf(token = crm.token): calls.Configuration {
  const baseServer = new calls.ServerConfiguration(url(), {});
  return calls.createConfiguration({ baseServer, authMethods: authMethods(token) });
}

async function makeIdProperty(): Promise<void> {
  const baseServer = new properties.ServerConfiguration(url(), {});
  const configuration = properties.createConfiguration({ baseServer, authMethods: authMethods(crm.token) });
  const group = { name: 'ringline', label: 'Ringline', displayOrder: -1 };
  await new properties.GroupsApi(configuration).create('calls', group);
  const core = new properties.CoreApi(configuration);
  await core.create('calls', {
    name: idProperty,
    label: 'Ringline call ID',
    groupName: 'ringline',
    type: properties.PropertyCreateTypeEnum.String,
    fieldType: properties.PropertyCreateFieldTypeEnum.Text,
    hasUniqueValue: true,
  });
  expect(await core.getByName('calls', idProperty)).toMatchObject({ hasUniqueValue: true });
}

const upsert = (id: string) => ({
  inputs: [
    {
      id,
      idProperty,
      properties: {
        hs_timestamp: '2026-03-10T09:15:20Z',
        hs_call_title: 'Incoming call',
        hs_call_direction: 'INBOUND',
      },
    },
  ],
});

it('HubSpot’s own client upserts a call by our id, reads it by that, changes and deletes it', async () => {
  await makeIdProperty();
  const batch = new calls.BatchApi(callsOf());
  const [first] = (await batch.upsert(upsert('our-id'))).results;
  const [second] = (await batch.upsert(upsert('our-id'))).results;
  expect(first).toMatchObject({ _new: true });
  expect(second).toMatchObject({ _new: false, id: first?.id });
  const basic = new calls.BasicApi(callsOf());
  const known = await basic.getById('our-id', ['hs_call_title'], undefined, undefined, false, idProperty);
  expect(known).toMatchObject({ id: first?.id, properties: { hs_call_title: 'Incoming call' } });
  await basic.update(known.id, { properties: { hs_call_status: 'COMPLETED', hs_call_duration: '125000' } });
  expect(crm.calls()).toMatchObject([{ id: known.id, seconds: 125, wasAnswered: true, externalId: 'our-id' }]);
  await basic.archive(known.id);
  expect(crm.calls()).toEqual([]);
  await expect(basic.getById(known.id)).rejects.toMatchObject({ code: 404, body: { category: 'OBJECT_NOT_FOUND' } });
});

it('HubSpot’s own client is told what is wrong with a property', async () => {
  await makeIdProperty();
  const [input] = upsert('our-id').inputs;
  const wrong = { inputs: [{ ...input!, properties: { ...input!.properties, no_such: 'x' } }] };
  const refused = new calls.BatchApi(callsOf()).upsert(wrong);
  await expect(refused).rejects.toMatchObject({ code: 400, body: { category: 'VALIDATION_ERROR' } });
});

it('HubSpot’s own client makes a contact, finds it by its number and puts a call to it', async () => {
  await makeIdProperty();
  const baseServer = new contacts.ServerConfiguration(url(), {});
  const configuration = contacts.createConfiguration({ baseServer, authMethods: authMethods(crm.token) });
  const phone = '+493090182055';
  const made = await new contacts.BasicApi(configuration).create({ properties: { phone }, associations: [] });
  const propertyName = 'hs_searchable_calculated_phone_number';
  const operator = contacts.FilterOperatorEnum.ContainsToken;
  const found = await new contacts.SearchApi(configuration).doSearch({
    filterGroups: [{ filters: [{ propertyName, operator, value: '*3090182055' }] }],
    properties: ['phone'],
    limit: 10,
    sorts: [],
    after: '0',
  });
  expect(found.results).toMatchObject([{ id: made.id, properties: { phone } }]);
  const [call] = (await new calls.BatchApi(callsOf()).upsert(upsert('our-id'))).results;
  const server = new associations.ServerConfiguration(url(), {});
  const place = associations.createConfiguration({ baseServer: server, authMethods: authMethods(crm.token) });
  await new associations.BasicApi(place).createDefault('calls', call?.id ?? '', 'contacts', made.id);
  expect(crm.calls()).toMatchObject([{ contactIds: [made.id] }]);
});

it('HubSpot’s own client lists owners, and is refused with another token', async () => {
  const id = crm.addUser({ name: 'Anna Álvarez', email: 'anna@example.com' });
  const baseServer = new owners.ServerConfiguration(url(), {});
  const configuration = owners.createConfiguration({ baseServer, authMethods: authMethods(crm.token) });
  const page = await new owners.OwnersApi(configuration).getPage();
  expect(page.results).toMatchObject([{ id, firstName: 'Anna', email: 'anna@example.com', archived: false }]);
  const refused = new calls.BasicApi(callsOf('wrong')).getById('1');
  await expect(refused).rejects.toMatchObject({ code: 401, body: { category: 'INVALID_AUTHENTICATION' } });
});
