import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AsteriskVersion } from '../../lab/asterisk-configuration.js';
import { foundObservedCompany } from '../../lab/observed-company.js';
import { compiledFolder, startRingline } from '../../lab/ringline.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';

const CUSTOMER = '+491713920001';
const ANNA = '+493023125001';

type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Runs the command as docs/observe.md has it, with other values of its variables. */
async function inspect(lab: Lab, values: { readonly url?: string; readonly password?: string } = {}): Promise<Ended> {
  const [, command = ''] =
    /^```sh by-hand\n(npm run --silent inspect-pbx [^]*?)^```$/m.exec(await readFile('docs/observe.md', 'utf8')) ?? [];
  const { scripts } = JSON.parse(await readFile('package.json', 'utf8')) as { scripts: Record<string, string> };
  // As package.json has it, with the sources as they are now in place of those that were built.
  const script = scripts['inspect-pbx']?.replace(/^node dist\//, `node '${await compiledFolder()}'/`) ?? '';
  const file = join(lab.dir, 'ari-password');
  await writeFile(file, `${values.password ?? lab.asterisk.password}\n`);
  const env = { ARI_URL: values.url ?? lab.asterisk.ariUrl, PASSWORD_FILE: file, DID: ANNA };
  return bash(command.replace('npm run --silent inspect-pbx --', script), env);
}

function bash(script: string, env: Readonly<Record<string, string>>): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env['PATH'], ...env }, timeout: 60_000 };
    execFile('bash', ['--norc', '-c', `set -euo pipefail\n${script}`], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

describe.each<AsteriskVersion>([16, 22])('inspect-pbx, on an ordinary PBX with Asterisk %i', (asterisk) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await startLab({ asterisk, pbx: 'ordinary' });
  });
  afterAll(() => lab?.stop());

  it('tells what is there, what it takes each endpoint for, and what it cannot see', async () => {
    const { code, stdout, stderr } = await inspect(lab);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`Asterisk ${lab.asterisk.version}`);
    expect(stdout).toContain('ok    The version is supported, and has the known security fixes.');
    expect(stdout).toContain('ok    All 15 that Ringline needs are loaded.');
    expect(stdout).toContain('ok    res_stasis_device_state.so is not loaded');
    expect(stdout).toContain('12 of PJSIP: 10 phones, 2 trunks.');
    expect(stdout).toMatch(/^ +1001 +offline +phone, by its name$/m);
    expect(stdout).toMatch(/^ +trunk +online +trunk, by its name$/m);
    expect(stdout).toContain('None is registered.');
    expect(stdout).toContain('The module that writes it to a file is loaded.');
    expect(stdout).toContain('note  Whether events carry CHANNEL(linkedid) cannot be seen: no call is on now');
    expect(stdout).toContain(`By hand: asterisk -rx 'dialplan show ${ANNA}@ringline-fallback'`);
    expect(stdout).not.toContain(lab.asterisk.password);
    expect(await lab.asterisk.cli('ari show apps')).not.toContain('ringline');
  });

  it('sees more during a call', async () => {
    const [customer, anna] = [await lab.baresip.customer(CUSTOMER), await lab.baresip.phone('1001')];
    const call = await customer.dial(ANNA);
    await anna.incoming();
    const during = await inspect(lab);
    expect(during.stdout).toContain('ok    Events carry CHANNEL(linkedid)');
    expect(during.stdout).toMatch(/^ +1001 +online +phone, by its name$/m);
    expect(during.stdout).toContain(`do    ${ANNA}: [ringline-fallback] has no extension for it.`);
    expect(during.stdout).toContain('Whether cel.conf enables it cannot be seen');

    // What an administrator may do: write the fall-back, and load what reads files.
    await lab.asterisk.cli(`dialplan add extension ${ANNA},1,Hangup, into ringline-fallback`);
    await lab.asterisk.cli('module load func_config.so');
    const later = await inspect(lab);
    expect(later.stdout).toContain(`note  ${ANNA}: the fall-back has an extension for it.`);
    expect(later.stdout).toContain('ok    cel.conf enables it.');
    await call.hangup();
    await Promise.all([customer.stop(), anna.stop()]);
  });

  it('proposes requests that join the PBX, as they are printed', async () => {
    const { stdout } = await inspect(lab);
    const script = stdout.split('To tell Ringline, in bash\n')[1] ?? '';
    const ringline = await startRingline(lab);
    await ringline.ready();
    const { body: tenant } = await ringline.call('POST', '/v1/tenants', { body: { name: 'Example', region: 'DE' } });
    const [KEY, TENANT] = [ringline.apiKey, tenant.id as string];
    const ran = await bash(script, { RINGLINE: ringline.url, KEY, TENANT, ARI_PASSWORD: lab.asterisk.password });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    const get = async (path: string) => (await ringline.call('GET', path, { tenantId: TENANT })).body;
    const { items: agents } = await get('/v1/agents?limit=50');
    expect(agents).toHaveLength(10);
    expect(agents).toContainEqual(expect.objectContaining({ name: 'Anna Berger' }));
    const { items: lines } = await get('/v1/lines');
    expect(lines).toMatchObject([{ number: ANNA, did: ANNA, outbound: { endpoint: 'trunk' } }]);
    const { items: nodes } = await get('/v1/pbx-nodes');
    expect(nodes).toMatchObject([{ observe: true }]);
    await waitFor(async () => (await get(`/v1/pbx-nodes/${nodes[0].id}/health`)).status === 'up', {
      what: 'the node to be up',
      timeoutMs: 30_000,
    });
    await ringline.stop();
  });

  it('ends with what is wrong, and what to do', async () => {
    const refused = await inspect(lab, { password: 'wrong' });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toBe(
      'inspect-pbx: Asterisk refuses the ARI user (401). Give --user and the password as in ari.conf, and reload res_ari.so where they are new.\n',
    );
    const nobody = await inspect(lab, { url: `http://127.0.0.1:${await unusedPort()}/ari` });
    expect(nobody).toMatchObject({ code: 1, stdout: '' });
    expect(nobody.stderr).toMatch(/^inspect-pbx: http:\S+ does not answer: .*ECONNREFUSED\. Start Asterisk; .*\n$/);
    const elsewhere = await inspect(lab, { url: lab.asterisk.ariUrl.replace('/ari', '/other/ari') });
    expect(elsewhere).toMatchObject({ code: 1, stdout: '' });
    expect(elsewhere.stderr).toContain('Give the address of ARI itself');
    const mistyped = await inspect(lab, { url: 'pbx' });
    expect(mistyped).toMatchObject({ code: 1, stderr: expect.stringContaining('is no URL such as') });
  });
});

describe.each<AsteriskVersion>([16, 22])('where device states are loaded, on Asterisk %i', (asterisk) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await startLab({ asterisk, pbx: 'ordinary', deviceStates: true });
  });
  afterAll(() => lab?.stop());

  it('inspect-pbx says so, and what to write', async () => {
    const { code, stdout } = await inspect(lab);
    expect(code).toBe(0);
    expect(stdout).toContain('note  res_stasis_device_state.so is loaded.');
    expect(stdout).toContain('  noload=res_stasis_device_state.so\n');
  });

  it('calls are observed whole, also through Local channels, and the node’s health tells of it', async () => {
    const ringline = await startRingline(lab);
    const company = await foundObservedCompany(lab, ringline);
    const [customer, anna, david] = [
      await lab.baresip.customer(CUSTOMER),
      await lab.baresip.phone('1001'),
      await lab.baresip.phone('1004'),
    ];
    for (const [number, phone] of [
      [ANNA, anna],
      ['+493023125101', david],
    ] as const) {
      const call = await customer.dial(number);
      const taken = await phone.incoming();
      await taken.answer();
      const talking = await company.newest(({ status }) => status === 'answered');
      await taken.hangup();
      await call.waitFor('closed');
      const record = await company.newest(({ id, status }) => status === 'ended' && id === talking.id);
      expect(record).toMatchObject({
        control: 'observed',
        direction: 'inbound',
        outcome: 'answered',
        to: { raw: number },
        hangup: { by: 'agent' },
        estimated: false,
      } satisfies Partial<Record<keyof Call, unknown>>);
      expect(record.participants.filter(({ role }) => role === 'answered')).toHaveLength(1);
    }
    const { body: health } = await company.call('GET', `/v1/pbx-nodes/${company.nodeId}/health`);
    expect(health).toMatchObject({ status: 'degraded', warnings: [{ code: 'device-states-loaded' }] });
    await ringline.stop();
  });
});

/** Nobody listens there. */
async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
