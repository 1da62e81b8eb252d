import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AsteriskVersion } from '../../lab/asterisk-configuration.js';
import type { DeskPhone } from '../../lab/baresip.js';
import { startRingline, type LabRingline } from '../../lab/ringline.js';
import type { Phone } from '../../lab/sipp.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';
import { foundObservedCompany, type ObservedCompany } from '../../lab/observed-company.js';

const CUSTOMER = '+491713920001';

describe.each<AsteriskVersion>([16, 22])('an ordinary dial plan on Asterisk %i, observed', (asterisk) => {
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
    company = await foundObservedCompany(lab, ringline);
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
  // What a scenario that failed left behind is not the next one's.
  afterEach(() => lab.asterisk.cli('channel request hangup all'));

  it('is recorded where a customer calls an extension', async () => {
    const call = await customer.dial('+493023125001');
    const taken = await anna.incoming();
    const ringing = await company.newest(({ status }) => status === 'ringing');
    expect(ringing).toMatchObject({ direction: 'inbound', control: 'observed', answeredAt: null });
    await taken.answer();
    await company.newest(({ status }) => status === 'answered');
    await taken.hangup();
    await call.waitFor('closed');
    const record = await company.newest(({ status }) => status === 'ended');
    expect(record).toMatchObject({
      id: ringing.id,
      outcome: 'answered',
      outcomeReason: 'talked',
      from: { raw: CUSTOMER, e164: CUSTOMER },
      to: { raw: '+493023125001', e164: '+493023125001' },
      line: { id: company.lineId },
      hangup: { by: 'agent', q850: 16 },
      estimated: false,
      participants: [{ agentId: company.agentOf('1001'), device: 'PJSIP/1001', role: 'answered' }],
    } satisfies DeepPartial<Call>);
    expect(await company.eventsOf(record.id)).toEqual(['call.started', 'call.ringing', 'call.answered', 'call.ended']);
  });

  it('is recorded where a colleague calls another', async () => {
    const call = await anna.dial('1002');
    const taken = await ben.incoming();
    await taken.answer();
    await company.newest(({ status, direction }) => status === 'answered' && direction === 'internal');
    await call.hangup();
    const record = await company.newest(({ status, direction }) => status === 'ended' && direction === 'internal');
    expect(record.participants.map(({ agentId, role }) => [agentId, role])).toEqual([
      [company.agentOf('1001'), 'answered'],
      [company.agentOf('1002'), 'answered'],
    ]);
    await waitFor(async () => (await lab.asterisk.cli('core show channels count')).includes('0 active channels'), {
      what: 'the call to be over',
    });
  });
});

type DeepPartial<T> = T extends readonly unknown[]
  ? { readonly [K in keyof T]: DeepPartial<T[K]> }
  : T extends object
    ? { readonly [K in keyof T]?: DeepPartial<T[K]> }
    : T;
