import type { FaultProxy, Moment } from '../fault-proxy.js';
import type { Blow, Struck } from './blows.js';
import { startAgain, wiresOf, type Field, type Wires } from './field.js';

/** A moment at which a crash matters, as it shows on the wires of Ringline. */
export type Failpoint = {
  readonly name: string;
  readonly wire: keyof Wires;
  readonly moment: Moment;
  /** Looked for once the first has passed. */
  readonly next?: { readonly wire: keyof Wires; readonly moment: Moment };
  /** What makes the moment come. */
  readonly provoke?: (wires: Wires) => void;
};

const upOn = (wire: keyof Wires, words: RegExp, withhold: Moment['withhold']): Omit<Failpoint, 'name'> => ({
  wire,
  moment: { direction: 'up', words, withhold },
});
const ledgerCommit = /ledger-commit/;
const CREATE = /^POST \/ari\/channels\/create/;
const DIAL = /^POST \/ari\/channels\/[^/ ]+\/dial/;

/** In the order in which they come in the life of a call, but those first of which a short run should see some. */
export const failpoints: readonly Failpoint[] = [
  { name: 'facts not committed', ...upOn('postgres', ledgerCommit, 'these') },
  { name: 'dialled, and no answer', ...upOn('ari', DIAL, 'answer') },
  { name: 'committed, and nobody told', ...upOn('postgres', ledgerCommit, 'answer') },
  { name: 'event of a caller read', wire: 'ari', moment: fromAsterisk(/"type":\s*"StasisStart"/) },
  { name: 'event of an end read', wire: 'ari', moment: fromAsterisk(/"type":\s*"ChannelDestroyed"/) },
  { name: 'click not stored', ...upOn('postgres', /insert into call_request/, 'these') },
  {
    name: 'click stored, and nobody told',
    ...upOn('postgres', /insert into call_request/, 'nothing'),
    next: upOn('postgres', /COMMIT/, 'answer'),
  },
  { name: 'in the transaction of a click', ...upOn('postgres', /update call_request set state = 'accepted'/, 'these') },
  { name: 'leg written down, not created', ...upOn('ari', CREATE, 'these') },
  { name: 'created, and no answer', ...upOn('ari', CREATE, 'answer') },
  { name: 'written down as dialled, not dialled', ...upOn('ari', DIAL, 'these') },
  {
    name: 'dialled and answered, not stored',
    ...upOn('ari', DIAL, 'nothing'),
    next: upOn('postgres', ledgerCommit, 'these'),
  },
  { name: 'caller answered, and no answer', ...upOn('ari', /^POST \/ari\/channels\/[^/ ]+\/answer/, 'answer') },
  { name: 'legs joined, and no answer', ...upOn('ari', /^POST \/ari\/bridges\/[^/ ]+\/addChannel/, 'answer') },
  { name: 'legs not tied', ...upOn('ari', /hangup_handler_push/, 'these') },
  { name: 'timer of the dial plan renewed', ...upOn('ari', /TIMEOUT\(absolute\)&value|TIMEOUT%28absolute/, 'answer') },
  { name: 'leg not hung up', ...upOn('ari', /^DELETE \/ari\/channels\//, 'these') },
  { name: 'events not queued', ...upOn('redis', /evalsha[^]*bull:call-events:/i, 'these') },
  { name: 'events queued, not marked', ...upOn('redis', /evalsha[^]*bull:call-events:/i, 'answer') },
  { name: 'delivery claimed, not sent', ...upOn('postgres', /webhook-claim/, 'answer') },
  { name: 'webhook sent, and no answer', ...upOn('webhooks', /^POST /, 'answer') },
  { name: 'webhook answered, not stored', ...upOn('postgres', /webhook-complete/, 'these') },
  { name: 'webhook stored, and nobody told', ...upOn('postgres', /webhook-complete/, 'answer') },
  {
    name: 'while records are compared',
    ...upOn('ari', /^GET \/ari\/bridges /, 'answer'),
    provoke: ({ ari }) => ari.reset(),
  },
  { name: 'log read, place not kept', ...upOn('postgres', /set cel_position/, 'these') },
];

/** A frame that has reached Ringline; what it tells is not stored for some ms. */
function fromAsterisk(words: RegExp): Moment {
  return { direction: 'down', words, withhold: 'nothing' };
}

const COMES_WITHIN_MS = 12_000;

/** Kills Ringline at this moment, or after some seconds in which it did not come. */
export function killAt(at: number, failpoint: Failpoint): Blow {
  const strike = async (field: Field): Promise<Struck> => {
    const isHit = await comes(failpoint, wiresOf(field));
    const killedAt = Date.now();
    await field.ringline.kill();
    return { isHit, killedAt, restartMs: await startAgain(field) };
  };
  return { at, what: failpoint.name, strike };
}

async function comes({ wire, moment, next, provoke }: Failpoint, wires: Wires): Promise<boolean> {
  const giveUp = AbortSignal.timeout(COMES_WITHIN_MS);
  const first = trapped(wires[wire], moment, giveUp);
  provoke?.(wires);
  return (await first) && (next === undefined || (await trapped(wires[next.wire], next.moment, giveUp)));
}

async function trapped(wire: FaultProxy, moment: Moment, giveUp: AbortSignal): Promise<boolean> {
  const trap = wire.trap(moment);
  const late = new Promise<false>((resolve) => giveUp.addEventListener('abort', () => resolve(false)));
  const isSprung = await Promise.race([trap.sprung.then(() => true), late]);
  trap.remove();
  return isSprung;
}
