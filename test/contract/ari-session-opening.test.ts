import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../lab/wait-for.js';
import { openAriSession } from '../../src/asterisk/session/ari-session.js';
import { FakeAri } from '../support/fake-ari.js';
import { SessionLog } from '../support/session-log.js';

let ari: FakeAri;
let heard: SessionLog;

beforeEach(async () => {
  ari = await FakeAri.start();
  heard = new SessionLog();
});
afterEach(() => ari.stop());

const open = (password = ari.password) => openAriSession({ ...ari.address, password }, 'ringline', heard);

describe('opening a session', () => {
  it('is refused with a wrong password, and the process goes on', async () => {
    await expect(open('wrong')).rejects.toThrow(/401|read|resource/i);
    expect(ari.sockets).toEqual([]);
  });

  it.each([
    ['the list of its parts', /resources\.json/],
    ['one part of it', /channels\.json/],
  ])('fails when the login is refused only at %s of the catalogue', async (_, path) => {
    ari.answer = ({ path: asked }, response) => {
      if (!path.test(asked)) return false;
      response.writeHead(401).end('{"message":"Authentication required"}');
      return true;
    };
    await expect(open()).rejects.toThrow(Error);
    expect(heard.closed).toEqual([]);
  });

  it.each([
    ['401', 'HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n', /401/],
    ['404', 'HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n', /404/],
    ['503', 'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n', /503/],
    ['something that is no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n', /./],
    ['an upgrade to something else', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\n\r\n', /./],
  ])('fails when the event socket is answered with %s', async (_, text, reason) => {
    ari.upgrade = (_request, socket) => {
      socket.end(text);
      return true;
    };
    await expect(open()).rejects.toThrow(reason);
    await waitFor(() => ari.connections() === 0, { what: 'nothing to be open' });
    expect(heard.closed).toEqual([]);
  });

  it.each([
    ['an empty catalogue', '{}'],
    ['a catalogue that is no JSON', '<html>proxy</html>'],
    ['a catalogue that is a list', '[]'],
    ['no catalogue', ''],
  ])('fails with %s', async (_, text) => {
    ari.answer = ({ path }, response) => {
      if (!path.includes('resources.json')) return false;
      response.writeHead(200, { 'content-type': 'application/json' }).end(text);
      return true;
    };
    await expect(open()).rejects.toThrow(Error);
    expect(ari.sockets).toEqual([]);
  });

  it('fails, and does not seem open, when the server hangs up in the moment in which it opened', async () => {
    ari.upgrade = ({ headers }, socket) => {
      const accept = createHash('sha1')
        .update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
        .digest('base64');
      const upgrade = `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`;
      // The answer, and a frame that closes, in one packet.
      socket.end(Buffer.concat([Buffer.from(upgrade), Buffer.from([0x88, 0x00])]));
      return true;
    };
    await expect(open()).rejects.toThrow(/closed/);
    expect(heard.closed).toEqual([]);
  });

  it('is told of what the switch says before it is known to be open', async () => {
    const opening = open();
    const socket = await waitFor(() => ari.sockets[0], { what: 'the event socket', everyMs: 1 });
    socket.send('{"type":"ApplicationReplaced","application":"ringline"}');
    const session = await opening;
    await heard.frame('ApplicationReplaced');
    void session.close('enough');
  });

  it('works again after any failure, with the same password as before', async () => {
    await expect(open('wrong')).rejects.toThrow(Error);
    const session = await open();
    expect(await session.channels()).toEqual([]);
    void session.close('enough');
  });
});

describe('two nodes with two passwords', () => {
  it('both go on reading after the other one connected', async () => {
    const other = await FakeAri.start();
    other.password = 'another';
    ari.documents['/ari/channels'] = [{ id: 'here' }];
    other.documents['/ari/channels'] = [{ id: 'there' }];
    const first = await open();
    const second = await openAriSession(other.address, 'ringline', new SessionLog());
    for (let i = 0; i < 5; i++) {
      expect(await Promise.all([first.channels(), second.channels()])).toEqual([[{ id: 'here' }], [{ id: 'there' }]]);
    }
    expect(passwordsOf(ari)).toEqual(['secret']);
    expect(passwordsOf(other)).toEqual(['another']);
    void first.close('enough');
    void second.close('enough');
    await other.stop();
  });

  it('open at the same moment, each with its own', async () => {
    const others = await Promise.all(
      ['one', 'two', 'three'].map(async (password) => Object.assign(await FakeAri.start(), { password })),
    );
    const sessions = await Promise.all(
      others.map((fake) => openAriSession(fake.address, 'ringline', new SessionLog())),
    );
    expect(await Promise.all(sessions.map((session) => session.bridges()))).toEqual([[], [], []]);
    for (const session of sessions) void session.close('enough');
    for (const fake of others) {
      expect(passwordsOf(fake)).toEqual([fake.password]);
      await fake.stop();
    }
  });
});

/** ari-client's first request carries none. */
function passwordsOf(fake: FakeAri): string[] {
  return [...new Set(fake.requests.map(({ password }) => password).filter((password) => password !== ''))];
}
