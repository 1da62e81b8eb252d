import type { Call } from '../../src/calls/domain/call.js';
import type { LabAsterisk } from '../asterisk.js';

/** Packets of one leg, as Asterisk counted them. */
interface LegPackets {
  readonly received: number;
  readonly sent: number;
}

export interface RtpPackets {
  readonly agent: LegPackets;
  readonly customer: LegPackets;
}

const NOTHING: LegPackets = { received: 0, sent: 0 };

/** Asks Asterisk for the counters of a call's two talking legs. They are gone with the legs: the last answer counts. */
export class RtpCounters {
  #agent = NOTHING;
  #customer = NOTHING;

  constructor(private readonly asterisk: LabAsterisk) {}

  get last(): RtpPackets {
    return { agent: this.#agent, customer: this.#customer };
  }

  async read(call: Call): Promise<void> {
    const talking = call.legs.filter(({ answeredAt, endedAt }) => answeredAt !== null && endedAt === null);
    for (const leg of talking) {
      const packets = await this.#ask(leg.id);
      if (packets === null) continue;
      if (leg.side === 'agent') this.#agent = packets;
      else this.#customer = packets;
    }
  }

  async #ask(channel: string): Promise<LegPackets | null> {
    const { ariUrl, username, password } = this.asterisk;
    const credentials = Buffer.from(`${username}:${password}`).toString('base64');
    const answer = await fetch(`${ariUrl}/channels/${encodeURIComponent(channel)}/rtp_statistics`, {
      headers: { authorization: `Basic ${credentials}` },
      signal: AbortSignal.timeout(5_000),
    }).catch(() => null);
    if (answer === null || !answer.ok) return null;
    const { rxcount, txcount } = (await answer.json()) as { rxcount?: number; txcount?: number };
    return { received: rxcount ?? 0, sent: txcount ?? 0 };
  }
}
