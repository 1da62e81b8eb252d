import type { Fact } from './domain/fact.js';
import type { Timeline } from './calls.schema.js';
import { isRemoteLegId } from './control/legs.js';
import { isGuardedLegId } from './control/outside-legs.js';
import type { ClickToCall, RingLine, TransferTarget } from './domain/plan.js';
import { factsByLeg, standingFacts } from './domain/standing.js';
import { tellGap } from './tell-gap.js';

/** What happened, in words, oldest first: the answer to "why did this call come out so?" */
export function tellTimeline(told: readonly Fact[]): Timeline['items'] {
  const facts = [...factsByLeg(told).values()].flatMap(standingFacts);
  const names = legNames(facts);
  const isOriginated = facts.some(({ kind }) => kind === 'originated');
  return facts
    .flatMap((fact) => {
      // Nobody called by himself.
      if (fact.kind === 'observed' && isOriginated) return [];
      const text = fact.kind === 'gap' ? tellGap(fact, facts, names) : tell(fact, names);
      return text === null
        ? []
        : [{ at: fact.at, order: order.indexOf(fact.kind), text, estimated: fact.source === 'estimate' }];
    })
    .toSorted((a, b) => a.at - b.at || a.order - b.order)
    .map(({ at, text, estimated }) => ({ at: new Date(at).toISOString(), text, estimated }));
}

/** What comes first when the switch's clock gives two things the same time. */
const order: readonly Fact['kind'][] = [
  'placed',
  'planned',
  'created',
  'originated',
  'dial-sent',
  'dialling',
  'ringing',
  'progress',
  'answered',
  'key-pressed',
  'joined',
  'hold-asked',
  'mute-asked',
  'digits-asked',
  'digits-sent',
  'transfer-wished',
  'wish-refused',
  'taken-over',
  'transfer-asked',
  'transfer-complete-asked',
  'transfer-cancel-asked',
  'transferred',
  'transfer-failed',
  'held',
  'resumed',
  'muted',
  'unmuted',
  'recording-asked',
  'recording-planned',
  'recording-started',
  'recording-paused',
  'recording-resumed',
  'cancel-asked',
  'released',
  'handed-back',
  'hangup-asked',
  'cause',
  'gap',
  'parted',
  'left-control',
  'refused',
  'ended',
  'recording-finished',
  'recording-stored',
  'recording-failed',
  'recording-erased',
  'contact-found',
  'annotated',
];

function legNames(facts: readonly Fact[]): Map<string, string> {
  const names = new Map<string, string>();
  for (const fact of facts) {
    if (fact.kind === 'planned') {
      const address = fact.data.contact === null ? '' : ` (${fact.data.contact})`;
      names.set(fact.leg, fact.data.side === 'agent' ? `${fact.data.device}${address}` : 'the other party');
    } else if (fact.kind === 'party') {
      names.set(fact.leg, fact.data.device ?? 'a wire inside the PBX');
    } else if (fact.kind === 'created' && !names.has(fact.leg)) {
      names.set(fact.leg, fact.data.side === 'remote' && !isRemoteLegId(fact.leg) ? 'the caller' : fact.leg);
    }
  }
  return names;
}

function blockedBy({ blockedBy: entry }: RingLine): string {
  return entry === undefined ? '' : ` and is on the block list (${entry})`;
}

function whoFirst(plan: ClickToCall): string {
  return plan.order === 'customer-first' ? ', the other party first' : '';
}

function targetName(target: TransferTarget): string {
  if (target.kind === 'consulted' && target.phone !== null) return `PJSIP/${target.phone.endpoint}`;
  if (target.kind !== 'agent') return target.number.e164 ?? target.number.raw;
  return target.phones.map(({ endpoint }) => `PJSIP/${endpoint}`).join(', ');
}

function tell(fact: Exclude<Fact, { kind: 'gap' }>, names: ReadonlyMap<string, string>): string | null {
  const who = names.get(fact.leg) ?? fact.leg;
  switch (fact.kind) {
    case 'placed':
      return fact.data.direction === 'inbound'
        ? `${fact.data.from.e164 ?? (fact.data.from.raw || 'an anonymous caller')} called ${fact.data.line.name} (${fact.data.line.number})${blockedBy(fact.data.plan)}.`
        : `A call to ${fact.data.to.e164 ?? fact.data.to.raw} was requested on ${fact.data.line.name} (${fact.data.line.number})${whoFirst(fact.data.plan)}.`;
    case 'observed':
      return `${fact.data.from.e164 ?? (fact.data.from.raw || 'an anonymous caller')} called ${fact.data.to.e164 ?? fact.data.to.raw}.`;
    case 'merged':
      return `It became part of the call ${fact.data.into}.`;
    case 'called':
      return `${who} was dialled outside: ${fact.data.number.e164 ?? fact.data.number.raw}.`;
    case 'passed-on':
      return `${who} passed the call on.`;
    case 'voicemail':
      return `${who} was given to voicemail.`;
    case 'originated':
      return `The PBX itself began to ring ${who}.`;
    case 'entered':
    case 'began':
    case 'left-by':
    case 'rings-agent':
    case 'party':
      return null;
    case 'planned':
      return fact.data.side === 'agent' ? `${who} was chosen to ring.` : null;
    case 'dial-sent':
      return `Ringline dialled ${who}.`;
    case 'ringing':
      return `${who} rang.`;
    case 'progress':
      return `${who} sent early media.`;
    case 'answered':
      return isGuardedLegId(fact.leg) ? `${who} answered and is asked to press 1.` : `${who} answered.`;
    case 'key-pressed':
      return fact.data.one ? `${who} pressed 1.` : `${who} pressed another key than 1.`;
    case 'joined':
      return `${who} was joined.`;
    case 'parted':
      return `${who} was no longer joined.`;
    case 'hold-asked':
      return `The API asked to ${fact.data.held ? 'put the other party on hold' : 'take the other party off hold'}.`;
    case 'mute-asked':
      return `The API asked to ${fact.data.muted ? 'mute' : 'unmute'} the agent.`;
    case 'digits-asked':
      // Not which: they may be somebody's PIN.
      return `The API asked to send ${fact.data.digits.length} digits.`;
    case 'digits-sent':
      return `Ringline sent digits to ${who}.`;
    case 'transfer-asked':
      return fact.data.by === undefined
        ? `The API asked to transfer the other party to ${targetName(fact.data.target)} (${fact.data.mode}).`
        : `The other party is to go to ${targetName(fact.data.target)}.`;
    case 'transfer-wished':
      return `${who} asked by its keys to transfer the other party to ${fact.data.to}${fact.data.consulted === undefined ? '' : ', whom it had called'}.`;
    case 'taken-over':
      return `${who} transferred the other party to ${fact.data.to} by the PBX.`;
    case 'wish-refused':
      return `That transfer was refused (${fact.data.problem}): ${fact.data.text}`;
    case 'transfer-complete-asked':
      return 'The API asked to complete the transfer.';
    case 'transfer-cancel-asked':
      return 'The API asked to cancel the transfer.';
    case 'transferred':
      return `The other party went from ${names.get(fact.data.from) ?? fact.data.from} to ${names.get(fact.data.to) ?? fact.data.to}.`;
    case 'transfer-failed':
      return `The transfer did not come about (${fact.data.reason}).`;
    case 'held':
      return `${who} put the other party on hold.`;
    case 'resumed':
      return `${who} took the other party off hold.`;
    case 'muted':
      return `${who} was muted.`;
    case 'unmuted':
      return `${who} was no longer muted.`;
    case 'cancel-asked':
      return fact.data.by === 'api'
        ? 'The call was hung up by the API.'
        : `Ringline ended the call (${fact.data.reason}).`;
    case 'released':
      return `Ringline ended the leg of ${who} (${fact.data.why}).`;
    case 'handed-back':
      return `Ringline gave the caller back to the dial plan (${fact.data.reason}).`;
    case 'hangup-asked':
      return `The end of the leg of ${who} was asked for.`;
    case 'left-control':
      return `${who} left Ringline’s control.`;
    case 'refused':
      return `${who} could not be rung: ${fact.data.text}.`;
    case 'ended': {
      const why = [
        fact.data.text,
        fact.data.sip === null ? null : `SIP ${fact.data.sip}`,
        fact.data.q850 ? `Q.850 ${fact.data.q850}` : null,
      ];
      const told = why.filter((part) => part !== null).join(', ');
      return `The leg of ${who} ended${told === '' ? '' : ` (${told})`}.`;
    }
    case 'contact-found':
      return `By the contacts of a CRM the other party is ${fact.data.contact.name}.`;
    case 'annotated':
      return 'The record was annotated.';
    case 'recording-asked':
      return `The API asked for the recording to ${fact.data.action}.`;
    case 'recording-started':
      return 'The recording began.';
    case 'recording-paused':
      return 'The recording paused.';
    case 'recording-resumed':
      return 'The recording went on.';
    case 'recording-finished':
      return 'The recording ended.';
    case 'recording-failed':
      return `There is no recording: ${fact.data.reason}`;
    case 'recording-stored':
      return 'The recording was stored.';
    case 'recording-erased':
      return 'The recording was erased.';
    case 'recording-planned':
    case 'created':
    case 'dialling':
    case 'cause':
      return null;
  }
}
