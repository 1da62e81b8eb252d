import { describe, expect, it } from 'vitest';
import type { AsteriskVersion } from '../../lab/asterisk-configuration.js';
import { waitFor } from '../../lab/wait-for.js';
import { MOBILE, observedOffice } from '../support/observed-office.js';

describe.each<AsteriskVersion>([16, 22])('groups and services of Asterisk %i, observed', (asterisk) => {
  const office = observedOffice(asterisk);

  it('rings a group until one answers', async () => {
    const call = await office.customer.dial('+493023125100');
    const [atAnna, atBen, atClara] = await Promise.all([
      office.anna.incoming(),
      office.ben.incoming(),
      office.clara.incoming(),
    ]);
    await atClara.answer();
    await Promise.all([atAnna.waitFor('closed'), atBen.waitFor('closed')]);
    await office.untilTalking('PJSIP/1003', 'PJSIP/trunk');
    await call.hangup();
    await office.expectRecords([
      'inbound +491713920001>+493023125100 answered/talked (remote)',
      '1001 rang, 1002 rang, 1003 answered',
      'started ringing answered ended',
    ]);
  });

  it('goes to a mailbox when all of a group are busy', async () => {
    const call = await office.customer.dial('s');
    const phones = [office.anna, office.ben, office.clara];
    for (const ringing of await Promise.all(phones.map((phone) => phone.incoming()))) await ringing.reject();
    await call.waitFor('established');
    await call.hangup();
    await office.expectRecords([
      'inbound +491713920001>s voicemail/agent-busy (remote)',
      '1001 rang, 1002 rang, 1003 rang',
      'started ringing voicemail ended',
    ]);
  });

  it('goes to a mailbox when the time of a group is over', async () => {
    await office.setGlobal('GROUPSECONDS', '2');
    const call = await office.customer.dial('+493023125100');
    const phones = [office.anna, office.ben, office.clara];
    const ringing = await Promise.all(phones.map((phone) => phone.incoming()));
    await Promise.all(ringing.map((one) => one.waitFor('closed')));
    await call.waitFor('established');
    await call.hangup();
    await office.expectRecords([
      'inbound +491713920001>+493023125100 voicemail/agent-no-answer (remote)',
      '1001 rang, 1002 rang, 1003 rang',
      'started ringing voicemail ended',
    ]);
  });

  it('rings a group by Local channels', async () => {
    const [david, eva] = [await office.phone('1004'), await office.phone('1005')];
    const call = await office.customer.dial('+493023125101');
    const [atDavid, atEva] = await Promise.all([david.incoming(), eva.incoming()]);
    await atEva.answer();
    await atDavid.waitFor('closed');
    await office.untilTalking('PJSIP/1005', 'PJSIP/trunk', 1_600);
    await atEva.hangup();
    await call.waitFor('closed');
    await office.expectRecords([
      'inbound +491713920001>+493023125101 answered/talked (agent)',
      '1004 rang, 1005 answered',
      'started ringing answered ended',
    ]);
  });

  it('keeps a caller in a queue until a member answers', async () => {
    const call = await office.customer.dial('+493023125200');
    const david = await office.phone('1004');
    const [atAnna, atBen, atClara, atDavid] = await Promise.all(
      [office.anna, office.ben, office.clara, david].map((phone) => phone.incoming()),
    );
    await atAnna!.reject();
    await atBen!.answer();
    await Promise.all([atClara!.waitFor('closed'), atDavid!.waitFor('closed')]);
    await office.untilTalking('PJSIP/1002', 'PJSIP/trunk');
    await atBen!.hangup();
    await call.waitFor('closed');
    await office.expectRecords([
      'inbound +491713920001>+493023125200 answered/talked (agent)',
      '1001 rang, 1002 answered, 1003 rang, 1004 rang',
      'started ringing answered ended',
    ]);
  });

  it('loses a caller who waits in a queue', async () => {
    const call = await office.customer.dial('+493023125200');
    await Promise.all([office.anna.incoming(), office.ben.incoming(), office.clara.incoming()]);
    await (await office.phone('1004')).incoming();
    await call.hangup();
    await office.expectRecords([
      'inbound +491713920001>+493023125200 missed/caller-gave-up (remote)',
      '1001 rang, 1002 rang, 1003 rang, 1004 rang',
      'started ringing ended',
    ]);
  });

  it('asks the members of a queue one after the other', async () => {
    const [eva, felix] = [await office.phone('1005'), await office.phone('1006')];
    const [evasBefore, felixBefore] = [eva.calls.length, felix.calls.length];
    const call = await office.customer.dial('+493023125201');
    const ringing = (): readonly (typeof eva.calls)[number][] => [
      ...eva.calls.slice(evasBefore),
      ...felix.calls.slice(felixBefore),
    ];
    const first = await waitFor(() => ringing()[0], { what: 'a member to ring' });
    const isEvaFirst = eva.calls.includes(first);
    await first.reject();
    const second = await waitFor(() => ringing().find((one) => one !== first), { what: 'the other member to ring' });
    await second.answer();
    await office.untilTalking(isEvaFirst ? 'PJSIP/1006' : 'PJSIP/1005', 'PJSIP/trunk');
    await call.hangup();
    await office.expectRecords([
      'inbound +491713920001>+493023125201 answered/talked (remote)',
      isEvaFirst ? '1005 rang, 1006 answered' : '1005 answered, 1006 rang',
      'started ringing answered ended',
    ]);
  });

  it('asks the members of a group one after the other', async () => {
    await office.setGlobal('MEMBERSECONDS', '2');
    const [david, eva, felix] = [await office.phone('1004'), await office.phone('1005'), await office.phone('1006')];
    const call = await office.customer.dial('+493023125102');
    await (await david.incoming()).waitFor('closed');
    await (await eva.incoming()).reject();
    await (await felix.incoming()).answer();
    await office.untilTalking('PJSIP/1006', 'PJSIP/trunk', 1_300);
    await call.hangup();
    await office.expectRecords([
      'inbound +491713920001>+493023125102 answered/talked (remote)',
      '1004 rang, 1005 rang, 1006 answered',
      'started ringing answered ended',
    ]);
  });

  it('goes to a mailbox when the members of a group were asked one after the other', async () => {
    const phones = [await office.phone('1004'), await office.phone('1005'), await office.phone('1006')];
    const call = await office.customer.dial('+493023125102');
    for (const phone of phones) await (await phone.incoming()).reject();
    await call.waitFor('established');
    await call.hangup();
    await office.expectRecords([
      'inbound +491713920001>+493023125102 voicemail/agent-busy (remote)',
      '1004 rang, 1005 rang, 1006 rang',
      'started ringing voicemail ended',
    ]);
  });

  it('lets a caller choose in a menu', async () => {
    const call = await office.customer.dial('+493023125300');
    await call.waitFor('established');
    await call.dtmf('1002');
    const taken = await office.ben.incoming();
    await taken.answer();
    await office.untilTalking('PJSIP/1002', 'PJSIP/trunk');
    await call.hangup();
    await office.expectRecords([
      'inbound +491713920001>+493023125300 answered/talked (remote)',
      '1002 answered',
      'started ringing answered ended',
    ]);
  });

  it('loses a caller in a menu', async () => {
    const call = await office.customer.dial('+493023125300');
    await call.waitFor('established');
    await call.hangup();
    await office.expectRecords([
      'inbound +491713920001>+493023125300 missed/caller-gave-up (remote)',
      '',
      'started ended',
    ]);
  });

  it.each(['*8', '**1001'])('gives a ringing call to who dials %s', async (code) => {
    const call = await office.customer.dial('+493023125001');
    const ringing = await office.anna.incoming();
    await call.waitFor('ringing');
    const taken = await office.ben.dial(code);
    await office.untilTalking('PJSIP/1002', 'PJSIP/trunk');
    await ringing.waitFor('closed');
    await taken.hangup();
    await call.waitFor('closed');
    await office.expectRecords([
      'inbound +491713920001>+493023125001 answered/talked (agent)',
      '1001 rang, 1002 answered',
      'started ringing answered ended',
    ]);
  });

  it('parks a caller, and another takes him back', async () => {
    const call = await office.customer.dial('+493023125001');
    const first = await office.anna.incoming();
    await first.answer();
    await office.untilTalking('PJSIP/1001', 'PJSIP/trunk', 1_300);
    await first.blindTransfer('700');
    await office.untilLogged('PARK_START');
    const second = await office.ben.dial('701');
    await office.untilTalking('PJSIP/1002', 'PJSIP/trunk', 1_300);
    await second.hangup();
    await call.waitFor('closed');
    await office.expectRecords([
      'inbound +491713920001>+493023125001 answered/talked (agent)',
      '1001 transferred, 1002 answered',
      'started ringing answered transferred ended',
    ]);
  });

  it('joins a customer and two colleagues in a conference, of whom one leaves and comes back', async () => {
    const call = await office.customer.dial('+493023125400');
    await call.waitFor('established');
    const anna = await office.anna.dial('800');
    await office.untilTalking('PJSIP/1001', 'PJSIP/trunk', 1_300);
    const ben = await office.ben.dial('800');
    await office.untilTalking('PJSIP/1002', 'PJSIP/trunk');
    await anna.hangup();
    await office.untilLeft('PJSIP/1001');
    const back = await office.anna.dial('800');
    await office.untilTalking('PJSIP/1001', 'PJSIP/trunk', 1_300);
    await call.hangup();
    await Promise.all([back.hangup(), ben.hangup()]);
    const [record] = await office.expectRecords([
      'inbound +491713920001>+493023125400 answered/talked (remote)',
      '1001 answered, 1002 answered',
      'started answered ended',
    ]);
    // No event tells of either, but her legs do: the second begins when the first is over, and she left with that.
    const [before, after] = (record?.legs ?? []).filter(({ device }) => device === 'PJSIP/1001');
    expect(Date.parse(after?.answeredAt ?? '')).toBeGreaterThan(Date.parse(before?.endedAt ?? ''));
    expect(record?.participants.find(({ device }) => device === 'PJSIP/1001')?.leftAt).toBe(after?.endedAt);
  });

  it('makes one conversation of a conference that a customer joins later', async () => {
    const colleagues = [await office.anna.dial('800'), await office.ben.dial('800')];
    await office.untilTalking('PJSIP/1001', 'PJSIP/1002', 1_300);
    const call = await office.customer.dial('+493023125400');
    await office.untilTalking('PJSIP/1001', 'PJSIP/trunk', 1_300);
    await call.hangup();
    for (const one of colleagues) await one.hangup();
    await office.expectRecords(
      [
        'inbound +491713920001>+493023125400 answered/talked (remote)',
        '1001 answered, 1002 answered',
        'started answered updated ended',
      ],
      ['inbound +491713920001>+493023125400 merged', '', 'started merged'],
    );
  });

  it('has a second outside party of a conference as a participant', async () => {
    const other = await office.lab.baresip.customer('+491713920002');
    const call = await office.customer.dial('+493023125400');
    await call.waitFor('established');
    const second = await other.dial('+493023125400');
    await office.untilTalking('PJSIP/trunk', 'PJSIP/trunk');
    const anna = await office.anna.dial('800');
    await office.untilTalking('PJSIP/1001', 'PJSIP/trunk', 1_300);
    await anna.hangup();
    await office.untilLeft('PJSIP/1001');
    await second.hangup();
    await call.hangup();
    await office.expectRecords(
      [
        'inbound +491713920001>+493023125400 answered/talked (remote)',
        '+491713920002 answered, 1001 answered',
        'started answered ended',
      ],
      ['inbound +491713920002>+493023125400 merged', '', 'started merged'],
    );
    await other.stop();
  });

  it('has no record of who is alone in a conference', async () => {
    const alone = await office.anna.dial('800');
    await alone.waitFor('established');
    await alone.hangup();
    await office.expectRecords();
  });

  it('forwards every call for somebody to a mobile', async () => {
    await (await office.ben.dial(`*72${MOBILE}`)).waitFor('closed');
    const call = await office.customer.dial('+493023125002');
    await office.untilTalking('PJSIP/trunk', 'PJSIP/trunk', 1_300);
    await call.hangup();
    await (await office.ben.dial('*73')).waitFor('closed');
    await office.expectRecords([
      'inbound +491713920001>+493023125002 answered/talked (remote)',
      '01713920042 answered',
      'started ringing answered ended',
    ]);
  });

  it('finds one of a group at a mobile', async () => {
    const [david, eva, felix] = [await office.phone('1004'), await office.phone('1005'), await office.phone('1006')];
    // Long enough for his colleagues to ring too.
    await office.carrier({ ringMs: 1_000 });
    await (await david.dial(`*72${MOBILE}`)).waitFor('closed');
    const call = await office.customer.dial('+493023125101');
    const [atEva, atFelix] = await Promise.all([eva.incoming(), felix.incoming()]);
    await office.untilTalking('PJSIP/trunk', 'PJSIP/trunk', 1_300);
    await Promise.all([atEva.waitFor('closed'), atFelix.waitFor('closed')]);
    await call.hangup();
    await (await david.dial('*73')).waitFor('closed');
    await office.carrier();
    await office.expectRecords([
      'inbound +491713920001>+493023125101 answered/talked (remote)',
      '01713920042 answered, 1005 rang, 1006 rang',
      'started ringing answered ended',
    ]);
  });

  it('follows somebody to a mobile', async () => {
    await (await office.clara.dial(`*21${MOBILE}`)).waitFor('closed');
    const call = await office.customer.dial('+493023125003');
    const atDesk = await office.clara.incoming();
    await office.untilTalking('PJSIP/trunk', 'PJSIP/trunk');
    await atDesk.waitFor('closed');
    await call.hangup();
    await (await office.clara.dial('*22')).waitFor('closed');
    await office.expectRecords([
      'inbound +491713920001>+493023125003 answered/talked (remote)',
      '01713920042 answered, 1003 rang',
      'started ringing answered ended',
    ]);
  });

  it('lets nobody through to who is not to be disturbed', async () => {
    await (await office.clara.dial('*78')).waitFor('closed');
    const call = await office.customer.dial('+493023125003');
    await call.waitFor('established');
    await call.hangup();
    await (await office.clara.dial('*79')).waitFor('closed');
    await office.expectRecords([
      'inbound +491713920001>+493023125003 voicemail/unknown (remote)',
      '',
      'started voicemail ended',
    ]);
  });
});
