import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { AsteriskVersion } from '../../lab/asterisk-configuration.js';
import type { DeskPhone, PhoneCall } from '../../lab/baresip.js';
import { celTalks, type CelRow, type CelTalk } from '../../lab/cel.js';
import type { Caller, CallerOptions, Phone } from '../../lab/sipp.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';

const CUSTOMER = '+491713920001';
const MOBILE = '01713920042';

describe.each<AsteriskVersion>([16, 22])('an ordinary PBX on Asterisk %i', (asterisk) => {
  let lab: Lab;
  let phones: DeskPhone[];
  let carrier: Phone;
  /** Rows of CEL before this scenario. */
  let before = 0;

  beforeAll(async () => {
    lab = await startLab({ asterisk, pbx: 'ordinary', postgres: false, redis: false });
    phones = await Promise.all(['1001', '1002', '1003'].map((user) => lab.baresip.phone(user)));
    carrier = await lab.sipp.phone({ name: 'carrier', port: lab.ports.trunk, ringMs: 100 });
  });
  afterAll(() => lab?.stop());

  const scenario = (name: string, run: () => Promise<void>) =>
    it(name, async () => {
      before = (await lab.asterisk.cel()).length;
      await run();
    });

  const anna = () => phones[0]!;
  const ben = () => phones[1]!;
  const clara = () => phones[2]!;

  /** What CEL says of this scenario once every call is over. */
  async function recorded(): Promise<CelRow[]> {
    await waitFor(async () => (await lab.asterisk.cli('core show channels count')).includes('0 active channels'), {
      what: 'every call to be over',
    });
    return waitFor(
      async () => {
        const rows = (await lab.asterisk.cel()).slice(before);
        const open = rows.filter(({ event }) => event === 'CHAN_START').length;
        return open > 0 && open === rows.filter(({ event }) => event === 'CHAN_END').length && rows;
      },
      { what: 'every channel to be over in CEL' },
    );
  }

  async function talks(): Promise<string[]> {
    return talksIn(await recorded());
  }

  async function fromOutside(to: string, options: Partial<CallerOptions> = {}): Promise<Caller> {
    return lab.sipp.caller({ calls: [{ from: CUSTOMER, to }], ...options });
  }

  async function untilTalking(one: string, other: string): Promise<CelTalk> {
    return waitFor(
      async () =>
        celTalks((await lab.asterisk.cel()).slice(before)).find(
          (talk) => talk.until === undefined && talk.parties.join() === [one, other].sort().join(),
        ),
      { what: `${one} and ${other} to talk`, timeoutMs: 15_000 },
    );
  }

  async function hungUp(caller: Caller, ...calls: PhoneCall[]): Promise<void> {
    await Promise.all(calls.map((call) => call.waitFor('closed')));
    await caller.done;
  }

  it('starts with nothing to complain about', async () => {
    expect(lab.asterisk.version).toMatch(new RegExp(`^${asterisk}\\.`));
    const log = await readFile(lab.asterisk.logFile, 'utf8');
    expect(log.split('\n').filter((line) => /\] (?:ERROR|WARNING)\[/.test(line))).toEqual([]);
  });

  scenario('connects a caller from outside with an extension, with sound both ways', async () => {
    const caller = await fromOutside('+493023125001');
    const call = await anna().incoming();
    expect(call.peer).toBe(CUSTOMER);
    await call.answer();
    await untilTalking('PJSIP/1001', 'PJSIP/trunk');
    await call.hangup();
    await hungUp(caller, call);
    expect(await talks()).toEqual(['PJSIP/1001 PJSIP/trunk']);
  });
});

/** Each pair once, in the order in which they first talked. */
function talksIn(rows: readonly CelRow[]): string[] {
  return [...new Set(celTalks(rows).map(({ parties }) => parties.join(' ')))];
}
