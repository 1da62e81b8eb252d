import { ActivitiesApi, Configuration as Configuration2, PersonsApi } from 'pipedrive/v2';
import { CallLogsApi, Configuration, LeadsApi, UsersApi } from 'pipedrive/v1';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startSimulator, type PipedriveSimulator } from './simulator.test-support.js';

/** What the simulator takes and gives is held against the vendor's own client. */
let crm: PipedriveSimulator;
let v1: Configuration;
let v2: Configuration2;

beforeEach(async () => {
  crm = await startSimulator({ burst: null });
  const url = String(crm.settings['url']);
  v1 = new Configuration({ apiKey: crm.token, basePath: `${url}/api/v1` });
  v2 = new Configuration2({ apiKey: crm.token, basePath: `${url}/api/v2` });
});
afterEach(() => crm.stop());

it('Pipedrive’s own client logs a call, reads it, lists it and deletes it', async () => {
  const logs = new CallLogsApi(v1);
  const { data } = await logs.addCallLog({
    AddCallLogRequest: {
      outcome: 'connected',
      from_phone_number: '+493090182055',
      to_phone_number: '+442079460000',
      start_time: '2026-03-10 09:15:20',
      end_time: '2026-03-10 09:17:50',
      duration: '125',
      subject: 'Incoming call',
    },
  });
  const id = data?.id ?? '';
  expect(crm.calls()).toMatchObject([{ id, direction: 'inbound', number: '+493090182055', seconds: 125 }]);
  expect((await logs.getCallLog({ id })).data).toMatchObject({ id, has_recording: false });
  expect((await logs.getUserCallLogs({ start: 0, limit: 50 })).data).toHaveLength(1);
  await logs.addCallLogAudioFile({ id, file: new File(['RIFF'], 'call.wav', { type: 'audio/wav' }) });
  expect(crm.calls()).toMatchObject([{ recording: { bytes: 4 } }]);
  const activity = String(crm.log(id)?.['activity_id']);
  await logs.deleteCallLog({ id });
  expect(crm.log(id)).toBeUndefined();
  expect(crm.activity(activity)).toMatchObject({ is_deleted: false });
  await expect(logs.getCallLog({ id })).rejects.toMatchObject({ success: false, error: 'The call log is gone' });
});

it('Pipedrive’s own client adds, changes, lists and deletes an activity', async () => {
  const activities = new ActivitiesApi(v2);
  const added = await activities.addActivity({
    AddActivityRequest: { subject: 'Call', type: 'call', due_date: '2026-03-10', due_time: '09:15:20', done: false },
  });
  const id = added.data?.id ?? 0;
  await activities.updateActivity({ id, AddActivityRequest: { done: true, note: 'x' } });
  expect((await activities.getActivity({ id })).data).toMatchObject({ id, done: true, note: 'x' });
  const listed = await activities.getActivities({ updated_since: '2020-01-01T00:00:00Z', sort_by: 'update_time' });
  expect(listed.data?.map((one) => one.id)).toEqual([id]);
  await activities.deleteActivity({ id });
  expect(crm.calls()).toEqual([]);
});

it('Pipedrive’s own client finds a person by number, makes a lead of one, and knows who it is', async () => {
  const persons = new PersonsApi(v2);
  const added = await persons.addPerson({
    AddPersonRequest: { name: 'Carla', phones: [{ value: '+49 30 90182055', primary: true, label: 'work' }] },
  });
  const id = added.data?.id ?? 0;
  const found = await persons.searchPersons({ term: '3090182055', fields: 'phone' });
  expect(found.data?.items?.map(({ item }) => item?.id)).toEqual([id]);
  await new LeadsApi(v1).addLead({ AddLeadRequest: { title: 'A lead', person_id: id } });
  expect(crm.created()).toMatchObject([{ kind: 'lead', numbers: ['+49 30 90182055'] }]);
  const me = await new UsersApi(v1).getCurrentUser();
  expect(me.data).toMatchObject({ id: Number(crm.me), company_name: 'Acme' });
});

it('Pipedrive’s own client is refused with another token', async () => {
  const wrong = new UsersApi(new Configuration({ apiKey: 'wrong', basePath: v1.basePath }));
  await expect(wrong.getCurrentUser()).rejects.toMatchObject({ success: false, errorCode: 401 });
});
