import { existsSync, readFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { beforeAll, describe, expect, it } from 'vitest';
import { readFixtures } from '../../lab/replay/fixture.js';
import { observedTold, play } from '../../lab/replay/observed-stream.js';
import { replay } from '../../lab/replay/replay.js';
import {
  callEventSchema,
  callEventTypes,
  type CallEvent,
  type CallEventType,
} from '../../src/calls/domain/call-event.js';
import {
  TEST_EVENT,
  endpointEvent,
  endpointEventSchema,
  endpointEventTypes,
} from '../../src/webhooks/endpoint-event.js';

/** A stream that was recorded in the lab, and what of its events is shown. */
type Source =
  | { readonly driven: string; readonly type: CallEventType }
  | { readonly observed: string; readonly type: CallEventType }
  /** An event as the lab published it, where no stream is kept: test/lab/recordings.test.ts compares it with a new one. */
  | { readonly kept: string; readonly type: CallEventType };

const sources: readonly Source[] = [
  { type: 'call.started', driven: 'incoming-an-agent-answers-and-the-caller-hangs-up' },
  { type: 'call.ringing', driven: 'incoming-an-agent-answers-and-the-caller-hangs-up' },
  { type: 'call.answered', driven: 'incoming-an-agent-answers-and-the-caller-hangs-up' },
  { type: 'call.held', observed: 'attended-refer.22' },
  { type: 'call.resumed', observed: 'hold.22' },
  { type: 'call.transferred', observed: 'attended-refer.22' },
  { type: 'call.ended', driven: 'incoming-an-agent-answers-and-the-caller-hangs-up' },
  { type: 'call.updated', driven: 'incoming-the-agent-does-not-answer-in-time' },
  { type: 'call.merged', observed: 'attended-refer.22' },
  { type: 'call.recording.ready', kept: 'test/fixtures/events/call.recording.ready.json' },
  { type: 'call.voicemail', observed: 'busy-to-voicemail.22' },
];

async function eventOf(source: Source): Promise<unknown> {
  const { type } = source;
  if ('kept' in source) return JSON.parse(readFileSync(source.kept, 'utf8'));
  if ('observed' in source) {
    const { events } = await play(observedTold(source.observed));
    return [...events.values()].flat().find((event) => event.type === type);
  }
  const fixture = (await readFixtures()).find(({ name }) => name === source.driven);
  const { calls } = await replay(fixture?.entries ?? []);
  for (const { events } of calls) {
    const found = events.find((event) => event.type === type);
    if (!found) continue;
    const { at, sequence, call } = found;
    // Its id is drawn anew in each replay, and replaced below.
    const id = '00000000-0000-7000-8000-ffffffffffff';
    return { id, type, timestamp: at, tenantId: call.tenantId, sequence, data: { call } } satisfies CallEvent;
  }
  return undefined;
}

/** Ids are drawn anew in each replay: each becomes the number of its first appearance. */
function withNumberedIds(text: string): string {
  const seen = new Map<string, string>();
  return text.replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, (id) => {
    const known = seen.get(id) ?? `01936c7e-8b2a-7000-8000-${String(seen.size + 1).padStart(12, '0')}`;
    seen.set(id, known);
    return known;
  });
}

const about = {
  id: '00000000-0000-7000-8000-000000000001',
  tenantId: '00000000-0000-7000-8000-000000000002',
  url: 'https://crm.example.com/hooks/ringline',
  description: 'CRM',
  status: 'enabled',
  statusReason: null,
  failingSince: null,
} as const;
const moment = { id: '00000000-0000-7000-8000-000000000003', at: Date.parse('2026-03-01T09:30:00.000Z') };
const failingSince = new Date('2026-03-01T09:27:12.480Z');
const endpointExamples = [
  endpointEvent('endpoint.failing', moment, { ...about, failingSince }),
  endpointEvent('endpoint.disabled', moment, {
    ...about,
    status: 'disabled',
    statusReason: 'It took nothing for 120 hours.',
    failingSince: new Date('2026-02-24T09:29:55.102Z'),
  }),
  endpointEvent(TEST_EVENT, moment, about),
];

describe('docs/event-examples.md', () => {
  const examples: { readonly source: Source; readonly event: unknown }[] = [];
  beforeAll(async () => {
    for (const source of sources) examples.push({ source, event: await eventOf(source) });
  });

  it('has an example of every event type, each as its schema says', () => {
    expect(sources.map(({ type }) => type)).toEqual(callEventTypes);
    for (const { source, event } of examples) {
      expect(callEventSchema.parse(event), source.type).toEqual(event);
      expect((event as CallEvent).type).toBe(source.type);
    }
    expect(endpointExamples.map(({ type }) => type)).toEqual([...endpointEventTypes, TEST_EVENT]);
    for (const event of endpointExamples) expect(endpointEventSchema.parse(event)).toEqual(event);
    for (const source of sources) if ('kept' in source) expect(existsSync(source.kept)).toBe(true);
  });

  it('is what the lab’s calls came to; `npm run docs` writes it', async () => {
    const sections = [...examples.map(({ event }) => event as CallEvent), ...endpointExamples].map(
      (event) => `## ${event.type}\n\n\`\`\`json\n${withNumberedIds(JSON.stringify(event, null, 2))}\n\`\`\``,
    );
    const text = [
      '<!-- Generated from the source; `npm run docs` writes it. -->',
      '# Examples of events',
      'One of each type. Those about calls are what calls between SIP phones on a real Asterisk came to, with ids, numbers, names and addresses replaced. [Events](events.md) says when each is sent.',
      ...sections,
    ].join('\n\n');
    const style = await resolveConfig('docs/x.md');
    await expect(await format(text, { ...style, parser: 'markdown' })).toMatchFileSnapshot(
      '../../docs/event-examples.md',
    );
  });
});
