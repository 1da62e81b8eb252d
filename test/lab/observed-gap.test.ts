import { describe, expect, it } from 'vitest';
import type { AsteriskVersion } from '../../lab/asterisk-configuration.js';
import type { PhoneCall } from '../../lab/baresip.js';
import { celTalks } from '../../lab/cel.js';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';
import { MOBILE, observedOffice } from '../support/observed-office.js';

// Its log is not read: all that is known of such a call is what Asterisk shows afterwards.
describe.each<AsteriskVersion>([16, 22])('calls of Asterisk %i that began while Ringline was away', (asterisk) => {
  const office = observedOffice(asterisk);

  async function away(meanwhile: () => Promise<void>): Promise<void> {
    await office.ringline.kill();
    await meanwhile();
    await office.ringline.start();
    await office.ringline.ready();
    await waitFor(async () => (await office.lab.asterisk.cli('ari show apps')).includes('ringline-obs-0'), {
      what: 'Ringline to observe the PBX',
      timeoutMs: 30_000,
    });
  }
  const inState = (status: Call['status']): Promise<Call> => office.company.newest((call) => call.status === status);
  const who = ({ participants }: Call): unknown =>
    participants.map(({ agentId, role }) => `${office.company.extensionOf(agentId)} ${role}`).toSorted();
  /** Settles with the record of a call that is over, and compares its talk with Asterisk's log. */
  async function over(customer: string): Promise<Call> {
    const record = await inState('ended');
    const talks = celTalks(await office.lab.asterisk.cel()).filter(({ parties }) => parties.includes(customer));
    const [first, last] = [talks[0], talks.at(-1)];
    const seconds = ((last?.until ?? 0) - (first?.from ?? 0)) / 1000;
    expect(Math.abs(record.talkSeconds - seconds), `${record.talkSeconds}, by CEL ${seconds}`).toBeLessThanOrEqual(1);
    expect(record).toMatchObject({ outcome: 'answered', estimated: true });
    return record;
  }

  it('show as soon as it is back, and end as talks', async () => {
    let call: PhoneCall | undefined;
    await away(async () => {
      call = await office.customer.dial('+493023125001');
      await (await office.anna.incoming()).answer();
      await office.untilTalking('PJSIP/1001', 'PJSIP/trunk', 1_500);
    });
    const open = await inState('answered');
    expect(open).toMatchObject({ direction: 'inbound', from: { e164: '+491713920001' } });
    await call?.hangup();
    const record = await over('PJSIP/trunk');
    expect(record).toMatchObject({ id: open.id, hangup: { by: 'remote' } });
    expect(who(record)).toEqual(['1001 answered']);
  });

  it('are talks to outside, with who was called', async () => {
    await office.carrier();
    let call: PhoneCall | undefined;
    await away(async () => {
      call = await office.ben.dial(MOBILE);
      await office.untilTalking('PJSIP/1002', 'PJSIP/trunk');
    });
    const open = await inState('answered');
    expect(open).toMatchObject({ direction: 'outbound', remote: { e164: '+491713920042' } });
    await call?.hangup();
    expect(await inState('ended')).toMatchObject({ id: open.id, outcome: 'answered', hangup: { by: 'agent' } });
  });

  it('are talks though the wire with which they began is gone', async () => {
    await office.carrier();
    const eva = await office.phone('1005');
    let taken: PhoneCall | undefined;
    await away(async () => {
      await office.lab.asterisk.cli(`channel originate Local/601@from-internal extension ${MOBILE}@from-internal`);
      taken = await eva.incoming();
      await taken.answer();
      await office.untilTalking('PJSIP/1005', 'PJSIP/trunk');
    });
    const open = await inState('answered');
    expect(open).toMatchObject({ direction: 'outbound', remote: { e164: '+491713920042' } });
    await taken?.hangup();
    const record = await inState('ended');
    expect(record).toMatchObject({ id: open.id, outcome: 'answered', hangup: { by: 'agent' } });
    expect(who(record)).toEqual(['1005 answered']);
  });

  it('are answered afterwards, when they ring', async () => {
    await office.setGlobal('RINGSECONDS', '60');
    let call: PhoneCall | undefined;
    let ringing: PhoneCall | undefined;
    await away(async () => {
      call = await office.customer.dial('+493023125003');
      ringing = await office.clara.incoming();
    });
    const open = await inState('ringing');
    await ringing?.answer();
    expect(await inState('answered')).toMatchObject({ id: open.id });
    await call?.hangup();
    const record = await inState('ended');
    expect(record).toMatchObject({ id: open.id, outcome: 'answered', hangup: { by: 'remote' } });
    expect(who(record)).toEqual(['1003 answered']);
  });

  it('are missed, where the caller gives up in a queue', async () => {
    let call: PhoneCall | undefined;
    await away(async () => {
      await office.lab.asterisk.cli('queue pause member Local/1005@member/n');
      call = await office.customer.dial('+493023125201');
      await office.untilLogged('APP_START', 'Queue');
    });
    const open = await inState('queued');
    await call?.hangup();
    expect(await inState('ended')).toMatchObject({ id: open.id, outcome: 'missed', outcomeReason: 'caller-gave-up' });
  });
});
