import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { AsteriskVersion } from '../../lab/asterisk-configuration.js';
import type { DeskPhone } from '../../lab/baresip.js';
import { celTalks, type CelRow } from '../../lab/cel.js';
import type { Phone } from '../../lab/sipp.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import { leaveMessage } from '../support/voicemail.js';

const CUSTOMER = '+491713920001';
const MOBILE = '01713920042';

describe.each<AsteriskVersion>([16, 22])('an ordinary PBX on Asterisk %i', (asterisk) => {
  let lab: Lab;
  let carrier: Phone;
  let customer: DeskPhone;
  let anna: DeskPhone;
  let ben: DeskPhone;
  let clara: DeskPhone;
  /** How many rows of CEL were there before this scenario. */
  let before = 0;

  beforeAll(async () => {
    lab = await startLab({ asterisk, pbx: 'ordinary', postgres: false, redis: false });
    carrier = await lab.sipp.phone({ name: 'carrier', port: lab.ports.trunk, ringMs: 100 });
    customer = await lab.baresip.customer(CUSTOMER);
    anna = await lab.baresip.phone('1001');
    ben = await lab.baresip.phone('1002');
    clara = await lab.baresip.phone('1003');
  });
  afterAll(() => lab?.stop());
  beforeEach(async () => {
    before = (await lab.asterisk.cel()).length;
  });
  // What a scenario that failed left behind is not the next one's.
  afterEach(() => lab.asterisk.cli('channel request hangup all'));

  async function ari<T>(path: string): Promise<T> {
    const { ariUrl, username, password } = lab.asterisk;
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const response = await fetch(`${ariUrl}${path}`, { headers: { authorization } });
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  const rowsSoFar = async () => (await lab.asterisk.cel()).slice(before);

  /** What CEL has of this scenario once every call is over. */
  async function recorded(): Promise<CelRow[]> {
    return waitFor(
      async () => {
        const rows = await rowsSoFar();
        const count = (event: string) => rows.filter((row) => row.event === event).length;
        const channels = await lab.asterisk.cli('core show channels count');
        return channels.includes('0 active channels') && count('CHAN_START') === count('CHAN_END') && rows;
      },
      { what: 'every call to be over' },
    );
  }

  function untilTalking(one: string, other: string): Promise<unknown> {
    const parties = [one, other].sort().join();
    return waitFor(
      async () =>
        celTalks(await rowsSoFar()).some((talk) => talk.until === undefined && talk.parties.join() === parties),
      { what: `${one} and ${other} to talk`, timeoutMs: 15_000 },
    );
  }

  it('starts with nothing to complain about', async () => {
    expect(lab.asterisk.version).toMatch(new RegExp(`^${asterisk}\\.`));
    const log = await readFile(lab.asterisk.logFile, 'utf8');
    expect(log.split('\n').filter((line) => /\] (?:ERROR|WARNING)\[/.test(line))).toEqual([]);
  });

  it('loads the device states of Stasis only when it is told to', async () => {
    expect(await lab.asterisk.cli('module show like res_stasis_device_state')).toContain('0 modules loaded');
    const other = await startLab({ asterisk, pbx: 'ordinary', deviceStates: true, postgres: false, redis: false });
    try {
      expect(await other.asterisk.cli('module show like res_stasis_device_state')).toContain('1 modules loaded');
    } finally {
      await other.stop();
    }
  });

  it('lets a user of ARI see the linked id of every channel', async () => {
    const call = await anna.dial('1002');
    await ben.incoming();
    const channels = await ari<Array<{ channelvars: Record<string, string> }>>('/channels');
    const linkedIds = channels.map(({ channelvars }) => channelvars['CHANNEL(linkedid)']);
    expect(linkedIds).toHaveLength(2);
    expect(linkedIds[0]).toMatch(/^\d+\.\d+$/);
    expect(linkedIds[1]).toBe(linkedIds[0]);
    await call.hangup();
  });

  it('connects a caller from outside with an extension, with sound both ways', async () => {
    const call = await customer.dial('+493023125001');
    const taken = await anna.incoming();
    expect(taken.peer).toBe(CUSTOMER);
    await taken.answer();
    await untilTalking('PJSIP/1001', 'PJSIP/trunk');
    const channels = await ari<Array<{ id: string }>>('/channels');
    expect(channels).toHaveLength(2);
    for (const { id } of channels) {
      await waitFor(
        async () => {
          const { rxcount, txcount } = await ari<Record<string, number>>(`/channels/${id}/rtp_statistics`);
          return rxcount! > 20 && txcount! > 20;
        },
        { what: 'sound both ways', timeoutMs: 3_000 },
      );
    }
    await taken.hangup();
    await call.waitFor('closed');
    expect(talksIn(await recorded())).toEqual(['PJSIP/1001 PJSIP/trunk']);
  });

  it('rings a group until one answers', async () => {
    const call = await customer.dial('s');
    const [atAnna, atBen, atClara] = await Promise.all([anna.incoming(), ben.incoming(), clara.incoming()]);
    await atClara.answer();
    await Promise.all([atAnna.waitFor('closed'), atBen.waitFor('closed')]);
    await untilTalking('PJSIP/1003', 'PJSIP/trunk');
    await call.hangup();
    const rows = await recorded();
    expect(talksIn(rows)).toEqual(['PJSIP/1003 PJSIP/trunk']);
    expect(started(rows)).toEqual(['PJSIP/trunk', 'PJSIP/1001', 'PJSIP/1002', 'PJSIP/1003']);
  });

  it('goes on to voicemail when nobody of a group answers', async () => {
    const call = await customer.dial('+493023125100');
    for (const ringing of await Promise.all([anna.incoming(), ben.incoming(), clara.incoming()]))
      await ringing.reject();
    await call.waitFor('established');
    await call.hangup();
    const rows = await recorded();
    expect(talksIn(rows)).toEqual([]);
    expect(appsOf(rows, 'PJSIP/trunk')).toEqual(['Dial', 'VoiceMail']);
  });

  it('keeps a caller in a queue until a member answers', async () => {
    const call = await customer.dial('+493023125200');
    const [atAnna, atBen, atClara] = await Promise.all([anna.incoming(), ben.incoming(), clara.incoming()]);
    await atAnna.reject();
    await atBen.answer();
    await atClara.waitFor('closed');
    await untilTalking('PJSIP/1002', 'PJSIP/trunk');
    await atBen.hangup();
    await call.waitFor('closed');
    const rows = await recorded();
    expect(talksIn(rows)).toEqual(['PJSIP/1002 PJSIP/trunk']);
    expect(appsOf(rows, 'PJSIP/trunk')).toEqual(['Queue']);
  });

  it('lets a caller choose in a menu', async () => {
    const call = await customer.dial('+493023125300');
    await call.waitFor('established');
    await call.dtmf('1002');
    const taken = await ben.incoming();
    await taken.answer();
    await untilTalking('PJSIP/1002', 'PJSIP/trunk');
    await call.hangup();
    expect(talksIn(await recorded())).toEqual(['PJSIP/1002 PJSIP/trunk']);
  });

  it('holds and resumes', async () => {
    const call = await anna.dial('1002');
    const taken = await ben.incoming();
    await taken.answer();
    await call.hold();
    await call.resume();
    await taken.hold();
    await taken.resume();
    await call.hangup();
    expect(talksIn(await recorded())).toEqual(['PJSIP/1001 PJSIP/1002']);
  });

  it('transfers blindly by REFER', async () => {
    const call = await customer.dial('+493023125001');
    const first = await anna.incoming();
    await first.answer();
    await first.blindTransfer('1002');
    const second = await ben.incoming();
    await second.answer();
    await first.waitFor('closed');
    await untilTalking('PJSIP/1002', 'PJSIP/trunk');
    await call.hangup();
    const rows = await recorded();
    expect(talksIn(rows)).toEqual(['PJSIP/1001 PJSIP/trunk', 'PJSIP/1002 PJSIP/trunk']);
    expect(rows.filter(({ event }) => event === 'BLINDTRANSFER').map(({ channel }) => party(channel))).toEqual([
      'PJSIP/1001',
    ]);
  });

  it('refuses to transfer to nowhere', async () => {
    const call = await customer.dial('+493023125001');
    const first = await anna.incoming();
    await first.answer();
    await untilTalking('PJSIP/1001', 'PJSIP/trunk');
    await first.blindTransfer('1999');
    expect((await first.waitFor('transfer-failed')).reason).toMatch(/^404 /);
    await call.waitFor('closed');
    expect(talksIn(await recorded())).toEqual(['PJSIP/1001 PJSIP/trunk']);
  });

  it('transfers with consultation by REFER', async () => {
    const call = await customer.dial('+493023125001');
    const first = await anna.incoming();
    await first.answer();
    await first.hold();
    const consultation = await anna.dial('1002');
    const second = await ben.incoming();
    await second.answer();
    await consultation.waitFor('established');
    await first.attendedTransfer(consultation);
    await untilTalking('PJSIP/1002', 'PJSIP/trunk');
    await Promise.all([first.waitFor('closed'), consultation.waitFor('closed')]);
    await call.hangup();
    const rows = await recorded();
    expect(talksIn(rows)).toEqual(['PJSIP/1001 PJSIP/trunk', 'PJSIP/1001 PJSIP/1002', 'PJSIP/1002 PJSIP/trunk']);
    expect(rows.map(({ event }) => event)).toContain('ATTENDEDTRANSFER');
  });

  it('transfers blindly by a feature code', async () => {
    const call = await customer.dial('+493023125001');
    const first = await anna.incoming();
    await first.answer();
    await untilTalking('PJSIP/1001', 'PJSIP/trunk');
    await first.dtmf('##1002');
    const second = await ben.incoming();
    await second.answer();
    await untilTalking('PJSIP/1002', 'PJSIP/trunk');
    await call.hangup();
    const rows = await recorded();
    expect(talksIn(rows)).toEqual(['PJSIP/1001 PJSIP/trunk', 'PJSIP/1002 PJSIP/trunk']);
    expect(rows.map(({ event }) => event)).toContain('BLINDTRANSFER');
  });

  it('transfers with consultation by a feature code', async () => {
    const call = await customer.dial('+493023125001');
    const first = await anna.incoming();
    await first.answer();
    await untilTalking('PJSIP/1001', 'PJSIP/trunk');
    await first.dtmf('*21002');
    const second = await ben.incoming();
    await second.answer();
    await untilTalking('PJSIP/1001', 'PJSIP/1002');
    await first.hangup();
    await untilTalking('PJSIP/1002', 'PJSIP/trunk');
    await call.hangup();
    const rows = await recorded();
    expect(talksIn(rows)).toEqual(['PJSIP/1001 PJSIP/trunk', 'PJSIP/1001 PJSIP/1002', 'PJSIP/1002 PJSIP/trunk']);
    expect(rows.map(({ event }) => event)).toContain('ATTENDEDTRANSFER');
  });

  it.each(['*8', '**1001'])('gives a ringing call to who dials %s', async (code) => {
    const call = await customer.dial('+493023125001');
    const ringing = await anna.incoming();
    await call.waitFor('ringing');
    const taken = await ben.dial(code);
    await untilTalking('PJSIP/1002', 'PJSIP/trunk');
    await ringing.waitFor('closed');
    await taken.hangup();
    await call.waitFor('closed');
    const rows = await recorded();
    expect(talksIn(rows)).toEqual(['PJSIP/1002 PJSIP/trunk']);
    expect(rows.map(({ event }) => event)).toContain('PICKUP');
  });

  it('parks a caller, and another takes him back', async () => {
    const call = await customer.dial('+493023125001');
    const first = await anna.incoming();
    await first.answer();
    await first.blindTransfer('700');
    await waitFor(async () => (await rowsSoFar()).some(({ event }) => event === 'PARK_START'), {
      what: 'the caller to be parked',
    });
    const second = await ben.dial('701');
    await untilTalking('PJSIP/1002', 'PJSIP/trunk');
    await second.hangup();
    await call.waitFor('closed');
    const rows = await recorded();
    expect(talksIn(rows)).toEqual(['PJSIP/1001 PJSIP/trunk', 'PJSIP/1002 PJSIP/trunk']);
    expect(rows.map(({ event }) => event)).toContain('PARK_END');
  });

  it('records a message for somebody who is busy', async () => {
    const call = await customer.dial('+493023125003');
    await (await clara.incoming()).reject();
    await leaveMessage(lab, call, '1003');
    const rows = await recorded();
    expect(talksIn(rows)).toEqual([]);
  });

  it('joins three in a conference', async () => {
    const calls = await Promise.all([anna.dial('800'), ben.dial('800'), customer.dial('+493023125400')]);
    await untilTalking('PJSIP/1001', 'PJSIP/1002');
    await untilTalking('PJSIP/1001', 'PJSIP/trunk');
    await untilTalking('PJSIP/1002', 'PJSIP/trunk');
    for (const call of calls) await call.hangup();
    expect(talksIn(await recorded()).sort()).toEqual([
      'PJSIP/1001 PJSIP/1002',
      'PJSIP/1001 PJSIP/trunk',
      'PJSIP/1002 PJSIP/trunk',
    ]);
  });

  it('forwards every call that comes for somebody, until it is told to stop', async () => {
    await (await ben.dial(`*72${MOBILE}`)).waitFor('closed');
    const call = await customer.dial('+493023125002');
    await untilTalking('PJSIP/trunk', 'PJSIP/trunk');
    await call.hangup();
    await (await ben.dial('*73')).waitFor('closed');
    expect(talksIn(await recorded())).toEqual(['PJSIP/trunk PJSIP/trunk']);
    const next = await customer.dial('+493023125002');
    await ben.incoming();
    await next.hangup();
  });

  it('lets nobody through who is not to be disturbed', async () => {
    await (await clara.dial('*78')).waitFor('closed');
    const caller = await lab.sipp.caller({ calls: [{ from: CUSTOMER, to: '+493023125003' }], talkMs: 300 });
    await caller.done;
    await (await clara.dial('*79')).waitFor('closed');
    const rows = await recorded();
    expect(appsOf(rows, 'PJSIP/trunk')).toEqual(['VoiceMail']);
    expect(talksIn(rows)).toEqual([]);
  });

  it('follows somebody to a mobile by a Local channel', async () => {
    await (await clara.dial(`*21${MOBILE}`)).waitFor('closed');
    const call = await customer.dial('+493023125003');
    const atDesk = await clara.incoming();
    const atMobile = await carrier.call(({ calledUser }) => calledUser === MOBILE, 'the call to the mobile');
    await untilTalking('PJSIP/trunk', 'PJSIP/trunk');
    await atDesk.waitFor('closed');
    await call.hangup();
    await (await clara.dial('*22')).waitFor('closed');
    const rows = await recorded();
    expect(atMobile.fromUser).toBe(CUSTOMER);
    expect(talksIn(rows)).toEqual(['PJSIP/trunk PJSIP/trunk']);
    expect(started(rows)).toContain('Local/1003@forward');
  });

  it('asks the members of a queue one after the other', async () => {
    const [eva, felix] = [await lab.baresip.phone('1005'), await lab.baresip.phone('1006')];
    const call = await customer.dial('+493023125201');
    const first = await Promise.race([eva.incoming(), felix.incoming()]);
    await first.reject();
    const second = await waitFor(() => [...eva.calls, ...felix.calls].find((one) => one !== first), {
      what: 'the other member to ring',
    });
    await second.answer();
    await waitFor(async () => celTalks(await rowsSoFar()).some(({ until }) => until === undefined), {
      what: 'the caller and the member to talk',
    });
    await call.hangup();
    const rows = await recorded();
    expect(talksIn(rows)).toHaveLength(1);
    expect(started(rows)).toEqual(expect.arrayContaining(['Local/1005@member', 'Local/1006@member']));
    await Promise.all([eva.stop(), felix.stop()]);
  });

  it("shows an extension's own number to whom it calls outside", async () => {
    const call = await anna.dial(MOBILE);
    await call.waitFor('established');
    const taken = (await carrier.calls()).findLast(({ calledUser }) => calledUser === MOBILE);
    expect(taken?.fromUser).toBe('+493023125001');
    await call.hangup();
    expect(talksIn(await recorded())).toEqual(['PJSIP/1001 PJSIP/trunk']);
  });
});

/** "PJSIP/1001-00000003" -> "PJSIP/1001" */
function party(channel: string): string {
  return channel.replace(/-[0-9a-f]+(;[12])?$/, '');
}

/** Each pair once, in the order in which they first talked. */
function talksIn(rows: readonly CelRow[]): string[] {
  return [...new Set(celTalks(rows).map(({ parties }) => parties.join(' ')))];
}

/** Applications that a party's channel went through, in order. */
function appsOf(rows: readonly CelRow[], name: string): string[] {
  return rows.filter(({ event, channel }) => event === 'APP_START' && party(channel) === name).map(({ app }) => app);
}

/** Everybody who had a channel, once. */
function started(rows: readonly CelRow[]): string[] {
  return [...new Set(rows.filter(({ event }) => event === 'CHAN_START').map(({ channel }) => party(channel)))];
}
