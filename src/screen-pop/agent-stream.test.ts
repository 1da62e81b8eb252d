import { describe, expect, it } from 'vitest';
import { callDocument } from '../../lab/call-document.js';
import { participant } from '../../test/support/call-document.js';
import { readEvents } from '../../test/support/read-events.js';
import type { Call } from '../calls/domain/call.js';
import { newId } from '../common/ids.js';
import { AgentStream } from './agent-stream.js';
import { validPops, type Pop } from './pop.js';
import { eventFrame } from './sse-frame.js';
import type { StreamConnection } from './stream-connection.js';

const alice = newId();
const grant = { tokenId: newId(), tenantId: newId(), agentId: alice, origin: null, expiresAtMs: 0 };

function aStream() {
  let wire = '';
  const connection = {
    open: () => undefined,
    write: (frame: Buffer, onFlushed?: (atMs: number) => void) => {
      wire += frame.toString();
      onFlushed?.(0);
    },
  };
  const stream = new AgentStream(connection as unknown as StreamConnection, grant);
  return {
    stream,
    /** What the tab has been shown: names, and for call events their sequence. */
    shown: (): string[] => readEvents(wire).map(({ event, data }) => (event === 'call' ? `call ${data}` : event)),
    pop: (call: Call): void => {
      const [pop] = validPops(call, Date.now()) as [Pop];
      stream.showPop(pop, eventFrame('pop', '{}'), () => undefined);
    },
    matches: (call: Call): void => stream.showMatches(call.id, eventFrame('matches', '{}')),
    event: (call: Call): void =>
      stream.showCall(call, [{ sequence: call.version, frame: eventFrame('call', String(call.version)) }]),
  };
}

const ringing = callDocument({ participants: [participant(alice)] });
const answered: Call = { ...ringing, status: 'answered', answeredAt: ringing.startedAt, version: 2 };
const ended: Call = { ...ringing, status: 'ended', outcome: 'missed', endedAt: ringing.startedAt, version: 2 };

describe('a stream that is being opened', () => {
  it('holds back what happens and shows it after its snapshot, in order', () => {
    const { stream, shown, pop, event } = aStream();
    pop(ringing);
    event(ringing);
    stream.renew(grant, 'fresh');
    expect(shown()).toEqual([]);
    stream.open({ calls: [], pops: [] }, 1000);
    expect(shown()).toEqual(['snapshot', 'pop', 'call 1', 'token']);
  });

  it('leaves out what its snapshot has shown', () => {
    const { stream, shown, pop, event } = aStream();
    pop(ringing);
    event(ringing);
    stream.open({ calls: [ringing], pops: validPops(ringing, Date.now()) }, 1000);
    pop(ringing);
    event(ringing);
    expect(shown()).toEqual(['snapshot']);
  });

  it('shows no pop that its snapshot has overtaken', () => {
    const { stream, shown, pop, event } = aStream();
    pop(ringing);
    event(ringing);
    event(answered);
    stream.open({ calls: [answered], pops: [] }, 1000);
    expect(shown()).toEqual(['snapshot']);
  });

  it('tells the end of a call that was over before the snapshot was read', () => {
    const { stream, shown, pop, event } = aStream();
    pop(ringing);
    event(ringing);
    event(ended);
    stream.open({ calls: [], pops: [] }, 1000);
    expect(shown()).toEqual(['snapshot', 'pop', 'call 1', 'call 2']);
  });
});

describe('matches', () => {
  it('follow their pop, also while the stream is being opened', () => {
    const { stream, shown, pop, event, matches } = aStream();
    pop(ringing);
    event(ringing);
    matches(ringing);
    stream.open({ calls: [], pops: [] }, 1000);
    expect(shown()).toEqual(['snapshot', 'pop', 'call 1', 'matches']);
  });

  it('are shown to no tab that shows no such pop, any more or at all', () => {
    const { stream, shown, pop, event, matches } = aStream();
    stream.open({ calls: [], pops: [] }, 1000);
    matches(ringing);
    pop(ringing);
    event(ringing);
    event(ended);
    matches(ringing);
    expect(shown()).toEqual(['snapshot', 'pop', 'call 1', 'call 2']);
  });
});

describe('an open stream', () => {
  it('shows the pop of an agent who was rung in vain again, when the call is transferred to him', () => {
    const { stream, shown, pop, event } = aStream();
    stream.open({ calls: [], pops: [] }, 1000);
    pop(ringing);
    event(ringing);
    event(answered);
    const held: Call = { ...answered, status: 'held', version: 3, participants: [participant(alice)] };
    for (let n = 0; n < 2; n++) {
      pop(held);
      event(held);
    }
    event({ ...held, version: 4 });
    pop({ ...held, version: 4 });
    expect(shown()).toEqual(['snapshot', 'pop', 'call 1', 'call 2', 'pop', 'call 3', 'call 4']);
  });

  it('shows a pop once and each event once', () => {
    const { stream, shown, pop, event } = aStream();
    stream.open({ calls: [], pops: [] }, 1000);
    for (let n = 0; n < 3; n++) {
      pop(ringing);
      event(ringing);
    }
    event(ended);
    expect(shown()).toEqual(['snapshot', 'pop', 'call 1', 'call 2']);
  });
});
