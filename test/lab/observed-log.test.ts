import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AsteriskVersion } from '../../lab/asterisk-configuration.js';
import type { DeskPhone } from '../../lab/baresip.js';
import { celTalks } from '../../lab/cel.js';
import { startRingline, type LabRingline } from '../../lab/ringline.js';
import type { Phone } from '../../lab/sipp.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';
import { foundObservedCompany, type ObservedCompany } from '../../lab/observed-company.js';

const CUSTOMER = '+491713920001';

describe.each<AsteriskVersion>([16, 22])(
  'calls of an ordinary dial plan while Ringline is down, on Asterisk %i',
  (asterisk) => {
    let lab: Lab;
    let ringline: LabRingline;
    let company: ObservedCompany;
    let carrier: Phone;
    let customer: DeskPhone;
    let anna: DeskPhone;
    let ben: DeskPhone;

    beforeAll(async () => {
      lab = await startLab({ asterisk, pbx: 'ordinary' });
      ringline = await startRingline(lab);
      company = await foundObservedCompany(lab, ringline, { readsCel: true });
      carrier = await lab.sipp.phone({ name: 'carrier', port: lab.ports.trunk, ringMs: 100 });
      customer = await lab.baresip.customer(CUSTOMER);
      anna = await lab.baresip.phone('1001');
      ben = await lab.baresip.phone('1002');
    });
    afterAll(async () => {
      await carrier?.stop();
      await ringline?.stop();
      await lab?.stop();
    });

    const quiet = (): Promise<true> =>
      waitFor(async () => (await lab.asterisk.cli('core show channels count')).includes('0 active channels'), {
        what: 'every call to be over',
      });
    const records = (count: number): Promise<readonly Call[]> =>
      waitFor(
        async () => {
          const found = (await company.calls()).filter(({ mergedInto }) => mergedInto === null);
          return found.length === count && found.every(({ endedAt }) => endedAt !== null) && found;
        },
        { what: `${count} records`, timeoutMs: 30_000 },
      );

    it('stand in the history with exact times once it is up again', async () => {
      await ringline.kill();
      const first = await customer.dial('+493023125001');
      await (await anna.incoming()).answer();
      await first.waitFor('established');
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await first.hangup();
      await quiet();
      const second = await customer.dial('+493023125001');
      await (await anna.incoming()).reject();
      // Voicemail takes it.
      await second.waitFor('established');
      await second.hangup();
      await quiet();
      const third = await anna.dial('01713920042');
      await third.waitFor('established');
      await third.hangup();
      await quiet();
      const fourth = await customer.dial('+493023125001');
      const taken = await anna.incoming();
      await taken.answer();
      await fourth.waitFor('established');
      await taken.blindTransfer('1002');
      await (await ben.incoming()).answer();
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      await fourth.hangup();
      await quiet();
      await ringline.start();
      await ringline.ready();

      const [passedOn, out, rejected, talked] = await records(4);
      expect(talked).toMatchObject({
        direction: 'inbound',
        outcome: 'answered',
        estimated: false,
        line: { id: company.lineId },
      });
      expect(talked?.from).toMatchObject({ e164: CUSTOMER });
      expect(rejected).toMatchObject({ direction: 'inbound', outcome: 'voicemail', estimated: false });
      expect(out).toMatchObject({
        direction: 'outbound',
        outcome: 'answered',
        estimated: false,
        remote: { e164: '+491713920042' },
        participants: [{ agentId: company.agentOf('1001'), role: 'answered' }],
      });
      expect(passedOn).toMatchObject({ direction: 'inbound', outcome: 'answered', estimated: false });
      expect(passedOn?.participants.map(({ agentId, role }) => [agentId, role])).toEqual([
        [company.agentOf('1001'), 'transferred'],
        [company.agentOf('1002'), 'answered'],
      ]);
      const talks = celTalks(await lab.asterisk.cel());
      for (const record of [talked, out]) {
        const match = talks.find(({ from }) => Math.abs(from - Date.parse(record?.answeredAt ?? '')) < 5);
        expect(match, 'the log has the talk at the same moment').toBeDefined();
      }
    });
  },
);
