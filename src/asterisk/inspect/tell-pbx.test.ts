import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { neededOf } from '../start-up-report.js';
import type { PbxView, SeenEndpoint } from './look-at-pbx.js';
import { proposeConfiguration, proposeRequests } from './propose-setup.js';
import { tellPbx } from './tell-pbx.js';

const needed = neededOf([]).map(({ name }) => ({ name, running: true }));
const files = ['cel_custom.so', 'res_cdrel_custom.so'].map((name) => ({ name, running: true }));
const deviceStates = { name: 'res_stasis_device_state.so', running: true };
const endpoint = (name: string, kind: 'phone' | 'trunk', callerName = ''): SeenEndpoint => ({
  name,
  state: 'online',
  context: 'from-internal',
  callerName,
  guess: { kind, by: 'name' },
});
const view: PbxView = {
  identity: { version: '22.10.1', boot: '', startedAt: Date.parse('2026-11-22T07:39:46.228Z') },
  fault: null,
  modules: [...needed, ...files],
  endpoints: [endpoint('1001', 'phone', 'Anna Berger'), endpoint('trunk', 'trunk')],
  otherEndpoints: {},
  apps: [],
  channels: 2,
  hasLinkedId: true,
  celEnabled: 'yes',
  numbers: [{ did: '+4930901820', isInFallback: true }],
};
const URL = 'http://pbx:8088/ari';
const told = (part: Partial<PbxView> = {}): string => tellPbx({ ...view, ...part }, URL, 'ringline');

describe('what is told of a PBX', () => {
  it('is nothing to do where all is as it should be', () => {
    const text = told();
    expect(text).toContain('Asterisk 22.10.1 at http://pbx:8088/ari, started 2026-11-22T07:39:46.228Z');
    expect(text).toContain('2 of PJSIP: 1 phone, 1 trunk.');
    expect(text).toContain(`asterisk -rx 'dialplan show +4930901820@ringline-fallback'`);
    expect(text).not.toMatch(/^ {2}do /m);
  });

  it.each<[string, Partial<PbxView>, RegExp]>([
    [
      'that a version is refused',
      { fault: { code: 'asterisk-too-old', detail: 'Asterisk 13.1.0 is older than 16.28.0', remedy: 'Update.' } },
      /do +Not supported: Asterisk 13\.1\.0 is older than 16\.28\.0\. Update\./,
    ],
    [
      'that a version lacks fixes',
      {
        fault: { code: 'asterisk-outdated', detail: 'Asterisk 22.1.0 lacks known security fixes.', remedy: 'Update.' },
      },
      /do +Supported, but: Asterisk 22\.1\.0 lacks known security fixes\. Update\./,
    ],
    ['which modules are missing', { modules: needed.slice(1) }, /do +Not loaded, and needed: res_ari\.so\./],
    ['that device states are loaded', { modules: [...needed, deviceStates] }, /note +res_stasis_device_state\.so is/],
    ['that modules cannot be seen', { modules: null }, /does not tell which modules/],
    ['that the linked id is missing', { hasLinkedId: false }, /do +Events carry no CHANNEL\(linkedid\)/],
    ['that no call shows the linked id', { hasLinkedId: null, channels: 0 }, /no call is on now/],
    ['that channels cannot be seen', { hasLinkedId: null, channels: null }, /does not tell its channels/],
    ['that endpoints cannot be seen', { endpoints: null }, /does not tell its endpoints/],
    ['of other technologies', { otherEndpoints: { IAX2: 3 } }, /note +3 of IAX2: their calls are seen/],
    [
      'a name that no device can have',
      { endpoints: [endpoint('a b', 'phone')] },
      /no agent’s device can have this name/,
    ],
    ['whose app it is', { apps: ['ringline-obs-0'] }, /A program uses ringline already/],
    ['that apps cannot be seen', { apps: null }, /does not tell its apps/],
    ['that no log is written', { modules: needed }, /No file is written: res_cdrel_custom\.so and cel_custom\.so not/],
    ['that the log is off', { celEnabled: 'no' }, /note +cel\.conf does not enable it/],
    ['that the log cannot be seen', { celEnabled: null }, /cannot be seen over ARI now: see `cel show status`/],
    ['of no number', { numbers: [] }, /Give --did NUMBER/],
    [
      'that the fall-back has no such number',
      { numbers: [{ did: '42', isInFallback: false }] },
      /do +42: \[ringline-fallback\] has no extension for it[^]*none of the line’s agents would be rung/,
    ],
    [
      'that the fall-back cannot be seen',
      { channels: 0, numbers: [{ did: '42', isInFallback: null }] },
      /no call is on now\.\n +By hand: asterisk -rx 'dialplan show 42@ringline-fallback'/,
    ],
    [
      'that the fall-back cannot be seen in a call either',
      { numbers: [{ did: '42', isInFallback: null }] },
      /func_dialplan\.so is not loaded/,
    ],
  ])('says %s', (_, part, words) => {
    expect(told(part)).toMatch(words);
  });

  it('steers no terminal', () => {
    const name = 'a\u001B[2Jb\n';
    expect(told({ endpoints: [endpoint(name, 'phone')], apps: [name] })).not.toMatch(/[^\P{Cc}\n]/u);
  });
});

describe('what is proposed for a PBX', () => {
  it('is a configuration for what is missing', () => {
    const text = proposeConfiguration({ ...view, modules: [...needed.slice(1), deviceStates] }, 'ringline');
    expect(text).toContain('  channelvars=CHANNEL(linkedid)\n');
    expect(text).toContain('  load=res_ari.so\n  noload=res_stasis_device_state.so\n');
    expect(text).toContain('"ringline/cel_custom.conf"');
    expect(proposeConfiguration(view, 'ringline')).not.toContain('modules.conf');
    const old = { ...view, identity: { ...view.identity, version: '16.28.0' } };
    expect(proposeConfiguration(old, 'ringline')).toContain('"ringline/cel_custom-16.conf"');
  });

  it('are requests that a shell sends as they are, whatever names the PBX has', () => {
    const name = `O'Hara "$(exit 1)" \`x\` \0NODE\0`;
    const script = proposeRequests(
      { ...view, endpoints: [endpoint('1001', 'phone', name), endpoint('trunk', 'trunk')] },
      URL,
      'ring',
    );
    const sent = script.replace(/^api\(\) \{[^]*?^\}$/m, `api() { printf '%s\\n' "$3" >&2; echo '{"id":"an-id"}'; }`);
    const env = { PATH: process.env['PATH'], RINGLINE: 'r', KEY: 'k', TENANT: 't', ARI_PASSWORD: 'p w' };
    const out = execFileSync('bash', ['--norc', '-euc', `{ ${sent}\n} 2>&1`], { env, encoding: 'utf8' });
    const bodies = out.split('\n').filter((one) => one.startsWith('{') && one !== '{"id":"an-id"}');
    expect(bodies.map((body) => JSON.parse(body) as unknown)).toEqual([
      { name: 'office', ariUrl: URL, username: 'ring', password: 'p w', observe: true },
      {
        name: `O'Hara "$(exit 1)" \`x\` ?NODE?`,
        devices: [{ kind: 'sip', pbxNodeId: 'an-id', endpoint: '1001' }],
      },
      {
        pbxNodeId: 'an-id',
        number: '+4930901820',
        did: '+4930901820',
        name: '+4930901820',
        target: { agentIds: ['an-id'] },
        outbound: { endpoint: 'trunk', format: 'plus-e164' },
      },
    ]);
  });

  it('names what has to be chosen', () => {
    const numbers = ['4930901820', '030901820', '42'].map((did) => ({ did, isInFallback: null }));
    const endpoints = [endpoint('1001', 'phone'), endpoint('trunk', 'trunk'), endpoint('trunk2', 'trunk')];
    const script = proposeRequests({ ...view, endpoints, numbers }, URL, 'ringline');
    expect(script).toContain('by which trunk it calls out (trunk, trunk2)');
    expect(script).toMatch(/^api .*"number":"\+4930901820","did":"4930901820"/m);
    expect(script).toMatch(/^# api .*"number":"\+\.\.\.","did":"030901820"/m);
    expect(script).toMatch(/^# api .*"did":"42"/m);
    expect(proposeRequests({ ...view, endpoints: null, numbers }, URL, 'ringline')).toContain('no phone was found');
  });
});
