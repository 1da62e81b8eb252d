import { describe, expect, it } from 'vitest';
import type { AriAnswer, AriCommands } from './session/commands.js';
import { parseVersion, readStartUpReport } from './start-up-report.js';

const ARI_URL = 'http://pbx:8088/ari';
const startup = '2026-11-22T08:39:46.228+0100';
const neededModules = (
  'res_ari res_ari_applications res_ari_asterisk res_ari_bridges res_ari_channels res_ari_endpoints res_ari_events ' +
  'res_stasis res_stasis_answer app_stasis chan_pjsip func_timeout func_callerid func_strings res_pjsip_header_funcs'
)
  .split(' ')
  .map((name) => ({ name: `${name}.so`, status: 'Running' }));

const answered = (body: unknown, status = 200): AriAnswer => ({ kind: 'answered', status, body });
const info = (version: unknown) => answered({ system: { version }, status: { startup_time: startup } });

/** A report on a node that answers so. */
function report(asked: AriAnswer, modules: AriAnswer = answered(neededModules)) {
  const send = (_: string, path: string) => Promise.resolve(path === '/asterisk/info' ? asked : modules);
  return readStartUpReport({ send } as unknown as AriCommands, ARI_URL);
}

describe('the start-up report of a node', () => {
  it.each(['22.10.1', '22.10.1+dfsg+~cs6.17.60671434-1', '22.11.0', '22.11.0-rc1', '16.28.0', '16.30.1', '23.1.0'])(
    'takes Asterisk %s as it is',
    async (version) => {
      expect(await report(info(version))).toMatchObject({
        version,
        boot: startup,
        startedAt: Date.parse('2026-11-22T07:39:46.228Z'),
        warnings: [],
      });
    },
  );

  it.each(['22.10.0', '22.9.9', '20.15.0', '18.26.4', '17.0.0'])('warns of Asterisk %s', async (version) => {
    expect((await report(info(version))).warnings).toMatchObject([{ code: 'asterisk-outdated' }]);
  });

  it.each(['16.27.9', '16.2.0', '13.38.3', '1.8.32', '0.1'])('refuses Asterisk %s, and says why', async (version) => {
    await expect(report(info(version))).rejects.toMatchObject({
      code: 'asterisk-too-old',
      message: expect.stringContaining(version),
      remedy: expect.stringContaining('22.10.1'),
    });
  });

  it.each(['GIT-master-abc', 'certified/18.9', ''])('warns of a version that it cannot read: "%s"', async (version) => {
    expect((await report(info(version))).warnings).toMatchObject([{ code: 'asterisk-version-unknown' }]);
  });

  it.each<[string, AriAnswer, string]>([
    ['does not answer', { kind: 'not-sent', text: 'GET /asterisk/info: ECONNREFUSED' }, 'unreachable'],
    ['answers too late', { kind: 'unknown', text: 'GET /asterisk/info: no answer within 3 s' }, 'unreachable'],
    ['refuses the password', answered({ message: 'Authentication required' }, 401), 'credentials-refused'],
    ['refuses the user', answered(null, 403), 'credentials-refused'],
    ['is a web page', answered('<html>'), 'not-asterisk'],
    ['is another service', answered({ hello: 'world' }), 'not-asterisk'],
    ['says nothing', answered(null), 'not-asterisk'],
    ['has no such path', answered({ message: 'Not found' }, 404), 'not-asterisk'],
    ['fails', answered({ system: { version: '22.10.1' }, status: { startup_time: startup } }, 500), 'not-asterisk'],
    ['has a version that is no text', info(22), 'not-asterisk'],
    ['started at no time', answered({ system: { version: '22.10.1' }, status: {} }), 'not-asterisk'],
  ])('refuses what %s', async (_, asked, code) => {
    await expect(report(asked)).rejects.toMatchObject({ code, remedy: expect.stringMatching(/\.$/) });
  });

  it('refuses a switch that lacks modules, and names them', async () => {
    const loaded = neededModules.map((module) =>
      module.name === 'chan_pjsip.so' ? { ...module, status: 'Not Running' } : module,
    );
    await expect(report(info('22.10.1'), answered(loaded.slice(1)))).rejects.toMatchObject({
      code: 'modules-missing',
      message: 'Asterisk has not loaded res_ari.so, chan_pjsip.so',
    });
  });

  it.each([
    ['Running', true],
    ['Not Running', false],
  ])('says whether Stasis has device states: %s', async (status, hasDeviceStates) => {
    const module = { name: 'res_stasis_device_state.so', status };
    expect(await report(info('22.10.1'), answered([...neededModules, module]))).toMatchObject({ hasDeviceStates });
    expect(await report(info('22.10.1'))).toMatchObject({ hasDeviceStates: false });
  });

  it.each<[string, AriAnswer]>([
    ['no answer', { kind: 'unknown', text: 'x' }],
    ['no permission', answered({ message: 'Forbidden' }, 403)],
    ['no list', answered({})],
  ])('goes on when the modules cannot be read: %s', async (_, modules) => {
    expect(await report(info('22.10.1'), modules)).toMatchObject({ modules: [], hasDeviceStates: null });
  });
});

describe('versions', () => {
  it.each([
    ['22.10.1~dfsg+~cs6.15.60671435-1', [22, 10, 1]],
    ['Asterisk 20.5', [20, 5, 0]],
    ['x22.1.1', null],
  ])('%s', (text, numbers) => {
    expect(parseVersion(text)).toEqual(numbers);
  });
});
