// The floor that Ringline is measured against: the same calls, dial plan and requests over one socket, and no storage.
import { WebSocket } from 'ws';

const [url = '', username = '', password = '', ...lines] = process.argv.slice(2);
const phoneOf = new Map(lines.map((line) => line.split('=') as [string, string]));
const query = `app=ringline&api_key=${username}:${password}`;
const socket = new WebSocket(`${url.replace('http', 'ws')}/events?${query}`, { perMessageDeflate: false });
const answers = new Map<string, (body: string | undefined) => void>();
let requests = 0;

function ask(method: string, uri: string, body?: object): Promise<string | undefined> {
  const id = String(requests++);
  const message_body = body && JSON.stringify(body);
  socket.send(
    JSON.stringify({
      type: 'RESTRequest',
      request_id: id,
      method,
      uri,
      content_type: 'application/json',
      message_body,
    }),
  );
  return new Promise((resolve) => answers.set(id, resolve));
}

const legOfCaller = new Map<string, { id: string; name: string; caller: { id: string; name: string } }>();
const callOfLeg = new Map<string, { id: string; name: string; caller: { id: string; name: string } }>();
const tie = (leg: string, name: string): Promise<unknown> =>
  ask(
    'POST',
    `channels/${leg}/variable?variable=CHANNEL(hangup_handler_push)&value=${encodeURIComponent(`ringline-partner,s,1(${name})`)}`,
  );

type Event = {
  type: string;
  args?: string[];
  channel?: { id: string; name: string; state: string };
  request_id?: string;
  message_body?: string;
};
socket.on('message', (data) => void take(JSON.parse(String(data)) as Event));
socket.on('open', () => process.stdout.write('open\n'));

async function take({ type, args, channel, request_id, message_body }: Event): Promise<void> {
  if (type === 'RESTResponse') {
    answers.get(request_id ?? '')?.(message_body);
    answers.delete(request_id ?? '');
  } else if (channel === undefined) return;
  else if (type === 'StasisStart' && args?.[0] === 'inbound') {
    const phone = phoneOf.get(args[1] ?? '') ?? '';
    const call = { id: `ref-${channel.id}`, name: '', caller: channel };
    legOfCaller.set(channel.id, call);
    callOfLeg.set(call.id, call);
    void ask('POST', `applications/ringline/subscription?eventSource=channel:${channel.id}`);
    await ask('GET', `channels/${channel.id}/variable?variable=${encodeURIComponent(`PJSIP_DIAL_CONTACTS(${phone})`)}`);
    const variables = {
      'TIMEOUT(absolute)': '7300',
      'CALLERID(num)': args[1],
      'CONNECTEDLINE(num)': 'x',
      'CONNECTEDLINE(name)': 'x',
    };
    await ask('POST', 'channels/create', {
      endpoint: `PJSIP/${phone}`,
      app: 'ringline',
      appArgs: 'leg',
      channelId: call.id,
      variables,
    });
  } else if (type === 'StasisStart') {
    (callOfLeg.get(channel.id) ?? { name: '' }).name = channel.name;
    await ask('POST', `channels/${channel.id}/dial?timeout=33`);
  } else if (type === 'ChannelStateChange' && callOfLeg.has(channel.id)) {
    const { caller, name } = callOfLeg.get(channel.id)!;
    if (channel.state === 'Ringing') return void ask('POST', `channels/${caller.id}/ring`);
    if (channel.state !== 'Up') return;
    await ask('POST', `channels/${caller.id}/answer`);
    await ask('POST', `bridges/ref-${caller.id}?type=mixing`);
    await ask('POST', `bridges/ref-${caller.id}/addChannel?channel=${caller.id},${channel.id}`);
    await ask('POST', `channels/${caller.id}/variable?variable=TIMEOUT(absolute)&value=7260`);
    await Promise.all([tie(caller.id, name), tie(channel.id, caller.name)]);
  } else if (type === 'ChannelDestroyed' && legOfCaller.delete(channel.id))
    void ask('DELETE', `bridges/ref-${channel.id}`);
  else if (type === 'ChannelDestroyed') callOfLeg.delete(channel.id);
}
