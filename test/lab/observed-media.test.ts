import { describe, expect, it, onTestFinished } from 'vitest';
import type { AsteriskVersion } from '../../lab/asterisk-configuration.js';
import { FAX, pictureAt } from '../../lab/more-than-sound.js';
import { startPictureFlow } from '../../lab/picture-flow.js';
import { finalAnswerTo, statusOf, type SipCall } from '../../lab/sip-trace.js';
import type { Caller, CallerOptions } from '../../lab/sipp.js';
import { waitFor } from '../../lab/wait-for.js';
import { CUSTOMER, observedOffice } from '../support/observed-office.js';

describe.each<AsteriskVersion>([16, 22])('calls with more than sound on Asterisk %i, observed', (asterisk) => {
  const office = observedOffice(asterisk);

  const dial = (more: Omit<CallerOptions, 'calls'>): Promise<Caller> =>
    office.lab.sipp.caller({ calls: [{ from: CUSTOMER, to: '+493023125010' }], trunk: 'trunk2', ...more });
  /** Where a phone, or the switch, takes what it was offered at last; port 0 would decline it. */
  const portFor = (media: string, call: SipCall | undefined, which: 'first' | 'last'): number => {
    const answer = call && finalAnswerTo(call, which);
    expect(answer && statusOf(answer)).toBe(200);
    return Number(new RegExp(`^m=${media} (\\d+)`, 'm').exec(answer?.body ?? '')?.[1]);
  };
  const expectRecord = (): Promise<unknown> =>
    office.expectRecords([
      `inbound ${CUSTOMER}>+493023125010 answered/talked (remote)`,
      '1010 answered',
      'started ringing answered ended',
    ]);

  it('with pictures, that both sides take, has the record of one with sound', async () => {
    const pictures = await startPictureFlow();
    onTestFinished(() => pictures.stop());
    const phone = await office.lab.sipp.phone({
      register: ['1010'],
      ringMs: 300,
      answers: pictureAt(pictures.screenPort),
    });
    const caller = await dial({ offers: pictureAt(pictures.cameraPort), talkMs: 4_000 });
    const answered = await caller.call(({ ackAt }) => ackAt !== undefined, 'the answer');
    pictures.sendTo(portFor('video', answered, 'first'));
    await waitFor(() => pictures.seen > 25, { what: 'a second of pictures to come through' });
    await caller.done;
    await phone.stop();
    expect(portFor('video', (await phone.calls())[0], 'first')).toBe(pictures.screenPort);
    await expectRecord();
  });

  it('that becomes one of fax, as both sides agree, has the record of one with sound', async () => {
    const phone = await office.lab.sipp.phone({ register: ['1010'], ringMs: 300, reanswers: FAX });
    const caller = await dial({ reoffers: FAX, talkMs: 1_500 });
    await caller.done;
    await phone.stop();
    for (const calls of [await caller.calls(), await phone.calls()])
      expect(portFor('image', calls[0], 'last')).toBeGreaterThan(0);
    await expectRecord();
  });
});
