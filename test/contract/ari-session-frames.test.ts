import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../lab/wait-for.js';
import { openAriSession, type AriSession, type SessionHandlers } from '../../src/asterisk/session/ari-session.js';
import { FakeAri } from '../support/fake-ari.js';
import { SessionLog } from '../support/session-log.js';

let ari: FakeAri;
let heard: SessionLog;
const sessions: AriSession[] = [];

beforeEach(async () => {
  ari = await FakeAri.start();
  heard = new SessionLog();
});
afterEach(async () => {
  for (const session of sessions.splice(0)) void session.close('the test is over');
  await ari.stop();
});

async function open(handlers: SessionHandlers = heard): Promise<AriSession> {
  const session = await openAriSession(ari.address, 'ringline', handlers);
  sessions.push(session);
  return session;
}

const good = { type: 'StasisEnd', channel: { id: 'last' } };

describe('frames of a session', () => {
  it('come in the order in which they were sent', async () => {
    await open();
    for (let i = 0; i < 500; i++) ari.send({ type: 'StasisEnd', channel: { id: `c${i}` } });
    await waitFor(() => heard.frames.length === 500, { what: 'all frames' });
    expect(heard.frames.map(({ channel }) => channel?.id)).toEqual(Array.from({ length: 500 }, (_, i) => `c${i}`));
  });

  it('are handed on as they came, before anything is made of them', async () => {
    const texts: string[] = [];
    const order: string[] = [];
    await open({
      onFrame: ({ type }) => void order.push(type),
      onBadFrame: () => void order.push('bad'),
      onClosed: () => undefined,
      onText: (text) => {
        texts.push(text);
        order.push('text');
      },
    });
    const sent = ['{ "type": "StasisEnd",\n "channel": {"id":"\\u0041ä"} }', 'not JSON'];
    for (const text of sent) ari.send(text);
    await waitFor(() => order.length === 4, { what: 'both' });
    expect(texts).toEqual(sent);
    expect(order).toEqual(['text', 'StasisEnd', 'text', 'bad']);
  });

  it('of a type that nobody knows are passed on, and change nothing', async () => {
    await open();
    ari.send({ type: 'ChannelTeleported', channel: { id: 'x' } });
    ari.send(good);
    await heard.frame('StasisEnd');
    expect(heard.frames.map(({ type }) => type)).toEqual(['ChannelTeleported', 'StasisEnd']);
    expect(heard.bad).toEqual([]);
  });

  it.each([
    ['text that is not JSON', 'not JSON'],
    ['half a frame', '{"type":"StasisStart","channel":{"id":'],
    ['nothing', ''],
    ['null', 'null'],
    ['a number', '7'],
    ['a text', '"StasisStart"'],
    ['a list', '[{"type":"StasisStart"}]'],
    ['an object without a type', '{"channel":{"id":"x"}}'],
    ['a type that is no text', '{"type":7}'],
    ['a channel that is no object', '{"type":"StasisEnd","channel":"x"}'],
    ['a channel that is null', '{"type":"StasisEnd","channel":null}'],
    ['a channel without an id', '{"type":"StasisEnd","channel":{}}'],
    ['a bridge whose id is a number', '{"type":"ChannelEnteredBridge","channel":{"id":"x"},"bridge":{"id":1}}'],
    ['arguments that are no texts', '{"type":"StasisStart","channel":{"id":"x"},"args":[1]}'],
    ['an id that is empty', '{"type":"StasisEnd","channel":{"id":""}}'],
    ['an id that is two lines', '{"type":"StasisEnd","channel":{"id":"a\\nb"}}'],
    ['an id that fits no index', `{"type":"StasisEnd","channel":{"id":"${'x'.repeat(256)}"}}`],
    ['a name that no database takes', '{"type":"StasisEnd","channel":{"id":"x","name":"a\\u0000"}}'],
    ['half a character', '{"type":"ChannelDestroyed","channel":{"id":"x"},"cause_txt":"\\ud800"}'],
    ['a cause that is no whole number', '{"type":"ChannelDestroyed","channel":{"id":"x"},"cause":16.5}'],
    ['a cause that is no number', '{"type":"ChannelDestroyed","channel":{"id":"x"},"cause":"16"}'],
    ['a text of the cause that is an object', '{"type":"ChannelDestroyed","channel":{"id":"x"},"cause_txt":{}}'],
    ['a time that is an object', '{"type":"StasisEnd","channel":{"id":"x"},"timestamp":{}}'],
    ['a caller whose number is an object', '{"type":"StasisStart","channel":{"id":"x","caller":{"number":{}}}}'],
    ['channel variables that are objects', '{"type":"StasisStart","channel":{"id":"x","channelvars":{"a":{}}}}'],
    ['a thousand brackets', '['.repeat(1_000)],
    ['a prototype', '{"__proto__":{"type":"StasisEnd"}}'],
  ])('that are no events are counted and passed over: %s', async (_, text) => {
    await open();
    ari.send(text);
    ari.send(good);
    await heard.frame('StasisEnd');
    expect(heard.frames).toEqual([good]);
    expect(heard.bad).toHaveLength(1);
    expect(heard.closed).toEqual([]);
  });

  it('of binary data are read like text, and counted when they are none', async () => {
    await open();
    ari.sockets[0]?.send(Buffer.from([0xff, 0x00, 0xfe]));
    ari.sockets[0]?.send(Buffer.from(JSON.stringify(good)));
    await heard.frame('StasisEnd');
    expect(heard.bad).toHaveLength(1);
  });

  it('of 60 kB are read', async () => {
    await open();
    const name = 'x'.repeat(60_000);
    ari.send({ ...good, channel: { id: 'last', name } });
    expect((await heard.frame('StasisEnd')).channel?.name).toBe(name);
  });

  it('above the limit end the session, once, and do not end the process', async () => {
    const session = await open();
    ari.send({ ...good, channel: { id: 'x', name: 'x'.repeat(1_100_000) } });
    expect(await heard.end()).toMatch(/payload|size/i);
    void session.close('again');
    await waitFor(() => ari.connections() === 0, { what: 'nothing to be open' });
    expect(heard.closed).toHaveLength(1);
    expect(heard.frames).toEqual([]);
  });

  it('that cannot be followed are counted, and the ones after them are followed', async () => {
    const frames: string[] = [];
    await open({
      onBadFrame: heard.onBadFrame,
      onClosed: heard.onClosed,
      onFrame: (frame) => {
        if (frame.type === 'Poison') throw new Error('no such leg');
        frames.push(frame.type);
      },
    });
    ari.send({ type: 'Poison' });
    ari.send(good);
    await waitFor(() => frames.length === 1, { what: 'the frame after it' });
    expect(heard.bad).toEqual(['Poison cannot be followed: no such leg']);
    expect(heard.closed).toEqual([]);
  });

  it('are followed outside of what contains ari-client, so that it cannot swallow what fails there', async () => {
    const domains: unknown[] = [];
    await open({
      onBadFrame: heard.onBadFrame,
      onClosed: heard.onClosed,
      onFrame: () => domains.push((process as { domain?: unknown }).domain ?? null),
    });
    ari.send(good);
    await waitFor(() => domains.length > 0, { what: 'the frame' });
    expect(domains).toEqual([null]);
  });

  it('are not heard any more after the session was closed', async () => {
    const session = await open();
    void session.close('enough');
    ari.send(good);
    await waitFor(() => ari.connections() === 0, { what: 'nothing to be open' });
    expect(heard.frames).toEqual([]);
    expect(heard.closed).toEqual(['enough']);
  });
});
