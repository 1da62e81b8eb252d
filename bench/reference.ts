// The floor that Ringline is measured against: same calls, dial plan and requests over one socket, and no storage.
import { WebSocket } from 'ws';

type Channel = {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly caller: { number: string };
};
type Message = { type: string; args?: string[]; channel?: Channel; request_id?: string };

const [url = '', username = '', password = '', ...lines] = process.argv.slice(2);
const phoneOf = new Map(lines.map((line) => line.split('=') as [string, string]));
const socket = new WebSocket(`${url.replace('http', 'ws')}/events?app=ringline&api_key=${username}:${password}`);
const answered = new Map<string, () => void>();
const callers = new Map<string, Channel>();
let asked = 0;

function ask(method: string, uri: string, body?: object): Promise<void> {
  const request_id = String(asked++);
  const message_body = body && JSON.stringify(body);
  const request = { type: 'RESTRequest', request_id, method, uri, content_type: 'application/json', message_body };
  socket.send(JSON.stringify(request));
  return new Promise((resolve) => answered.set(request_id, resolve));
}

function set(channel: Channel, variable: string, value: string): Promise<void> {
  return ask('POST', `channels/${channel.id}/variable?variable=${variable}&value=${encodeURIComponent(value)}`);
}

async function ring(caller: Channel, did = ''): Promise<void> {
  const phone = phoneOf.get(did) ?? '';
  const contacts = encodeURIComponent(`PJSIP_DIAL_CONTACTS(${phone})`);
  void ask('POST', `applications/ringline/subscription?eventSource=channel:${caller.id}`);
  await ask('GET', `channels/${caller.id}/variable?variable=${contacts}`);
  callers.set(`ref-${caller.id}`, caller);
  const variables = { 'TIMEOUT(absolute)': '7300', 'CALLERID(num)': did, 'CONNECTEDLINE(num)': caller.caller.number };
  const leg = { endpoint: `PJSIP/${phone}`, app: 'ringline', appArgs: 'leg', channelId: `ref-${caller.id}`, variables };
  await ask('POST', 'channels/create', leg);
}

async function join(caller: Channel, leg: Channel): Promise<void> {
  await ask('POST', `channels/${caller.id}/answer`);
  await ask('POST', `bridges/${leg.id}?type=mixing`);
  await ask('POST', `bridges/${leg.id}/addChannel?channel=${caller.id},${leg.id}`);
  await set(caller, 'TIMEOUT(absolute)', '7260');
  await set(caller, 'CHANNEL(hangup_handler_push)', `ringline-partner,s,1(${leg.name})`);
  await set(leg, 'CHANNEL(hangup_handler_push)', `ringline-partner,s,1(${caller.name})`);
}

socket.on('message', (data: Buffer) => {
  const { type, args, channel, request_id = '' } = JSON.parse(data.toString()) as Message;
  if (type === 'RESTResponse') answered.get(request_id)?.();
  answered.delete(request_id);
  if (channel === undefined) return;
  const caller = callers.get(channel.id);
  if (type === 'StasisStart' && args?.[0] === 'inbound') void ring(channel, args[1]);
  else if (type === 'StasisStart') void ask('POST', `channels/${channel.id}/dial?timeout=33`);
  else if (caller && type === 'ChannelStateChange' && channel.state === 'Ringing')
    void ask('POST', `channels/${caller.id}/ring`);
  else if (caller && type === 'ChannelStateChange' && channel.state === 'Up') void join(caller, channel);
  else if (type === 'ChannelDestroyed' && callers.delete(channel.id)) void ask('DELETE', `bridges/${channel.id}`);
});
