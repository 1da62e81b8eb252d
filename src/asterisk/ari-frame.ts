/** The parts of ARI's channel, bridge and event objects that Ringline reads. Everything may be missing: it comes from outside. */
export type AriChannel = {
  readonly id: string;
  readonly name?: string;
  readonly state?: string;
  /** SIP Call-ID, for PJSIP channels. */
  readonly protocol_id?: string;
  readonly caller?: { readonly number?: string; readonly name?: string };
  readonly dialplan?: {
    readonly app_name?: string;
    readonly app_data?: string;
    readonly context?: string;
    readonly exten?: string;
  };
  readonly creationtime?: string;
  readonly channelvars?: Readonly<Record<string, string>>;
};

export type AriBridge = {
  readonly id: string;
  readonly channels?: readonly string[];
  readonly creationtime?: string;
  readonly bridge_type?: string;
  readonly creator?: string;
};

export type AriRecording = { readonly name: string; readonly duration?: number; readonly cause?: string };

export type AriReferTo = {
  /** `protocol_id`: the SIP Call-ID of the call that is to be replaced; only in an attended transfer. */
  readonly requested_destination?: { readonly destination?: string; readonly protocol_id?: string };
  /** Who talks with the phone in that call. */
  readonly connected_channel?: AriChannel;
};

export type AriFrame = {
  readonly type: string;
  readonly timestamp?: string;
  readonly application?: string;
  readonly args?: readonly string[];
  readonly channel?: AriChannel;
  readonly peer?: AriChannel;
  /** In whose place a channel came into our app. */
  readonly replace_channel?: AriChannel;
  readonly bridge?: AriBridge;
  readonly recording?: AriRecording;
  readonly dialstatus?: string;
  /** What the dial plan said to dial, without the technology. */
  readonly dialstring?: string;
  /** Of a transfer. */
  readonly result?: string;
  readonly transferer_first_leg?: AriChannel;
  readonly transferer_second_leg?: AriChannel;
  /** Of a transfer that a phone asks for and Asterisk leaves to us; `state` where it tells what we answered. */
  readonly refer_to?: AriReferTo;
  readonly referred_by?: { readonly source_channel?: AriChannel };
  readonly state?: string;
  /** Of a user event. */
  readonly eventname?: string;
  readonly cause?: number;
  readonly cause_txt?: string;
  readonly tech_cause?: number;
  /** In a hangup request: it came from inside the switch. */
  readonly soft?: boolean;
};

/** What a part must be where it is there. A switch that lies, or a proxy in between, shall not put other things into records. */
const channelParts = parts({ name: 'text', state: 'text', protocol_id: 'text', creationtime: 'text' });
const callerParts = parts({ number: 'string', name: 'string' });
const dialplanParts = parts({ app_name: 'text', app_data: 'string', context: 'text', exten: 'string' });
const bridgeParts = parts({ creationtime: 'text', bridge_type: 'text', creator: 'text' });
const recordingParts = parts({ duration: 'integer', cause: 'text' });
const destinationParts = parts({ destination: 'text', protocol_id: 'text' });
const frameParts = parts({
  timestamp: 'text',
  application: 'text',
  dialstatus: 'text',
  dialstring: 'text',
  result: 'text',
  eventname: 'text',
  cause: 'integer',
  cause_txt: 'text',
  tech_cause: 'integer',
  soft: 'boolean',
  state: 'text',
});

/** A frame as it came from the socket, or null when it is not a JSON object with a type and parts as declared. Never throws. */
export function parseFrame(data: string): AriFrame | null {
  let frame: unknown;
  try {
    frame = JSON.parse(data);
  } catch {
    return null;
  }
  if (!isObject(frame) || typeof frame.type !== 'string' || !hasParts(frame, frameParts)) return null;
  const { channel, peer, replace_channel, transferer_first_leg, transferer_second_leg, bridge, recording, args } =
    frame;
  if (
    ![channel, peer, replace_channel, transferer_first_leg, transferer_second_leg].every(
      (part) => part === undefined || isChannel(part),
    )
  )
    return null;
  if (bridge !== undefined && !isBridge(bridge)) return null;
  if (recording !== undefined && !isRecording(recording)) return null;
  if (!isReferTo(frame.refer_to) || !isReferredBy(frame.referred_by)) return null;
  if (args !== undefined && !(Array.isArray(args) && args.every((arg) => typeof arg === 'string'))) return null;
  return frame as unknown as AriFrame;
}

/** Of a list of channels those that are as declared. */
export function readChannels(list: readonly unknown[]): AriChannel[] {
  return list.filter((channel): channel is AriChannel => isChannel(channel));
}

/** Of a list of bridges those that are as declared. */
export function readBridges(list: readonly unknown[]): AriBridge[] {
  return list.filter((bridge): bridge is AriBridge => isBridge(bridge));
}

function isBridge(bridge: unknown): boolean {
  if (!isObject(bridge) || !isId(bridge.id) || !hasParts(bridge, bridgeParts)) return false;
  const { channels } = bridge;
  return channels === undefined || (Array.isArray(channels) && channels.every(checks.string));
}

function isChannel(channel: unknown): boolean {
  if (!isObject(channel) || !isId(channel.id) || !hasParts(channel, channelParts)) return false;
  const { caller, channelvars, dialplan } = channel;
  return (
    (caller === undefined || (isObject(caller) && hasParts(caller, callerParts))) &&
    (dialplan === undefined || (isObject(dialplan) && hasParts(dialplan, dialplanParts))) &&
    (channelvars === undefined || (isObject(channelvars) && Object.values(channelvars).every(checks.text)))
  );
}

function isReferTo(refer: unknown): boolean {
  if (refer === undefined) return true;
  if (!isObject(refer)) return false;
  const { requested_destination: wanted, connected_channel: channel } = refer;
  const isWanted = isObject(wanted) && hasParts(wanted, destinationParts);
  return (wanted === undefined || isWanted) && (channel === undefined || isChannel(channel));
}

function isReferredBy(by: unknown): boolean {
  return by === undefined || (isObject(by) && (by.source_channel === undefined || isChannel(by.source_channel)));
}

function isRecording(recording: unknown): boolean {
  return isObject(recording) && typeof recording.name === 'string' && hasParts(recording, recordingParts);
}

type JsonObject = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** NUL and lone surrogates are legal in JSON, and no database stores them. */
const unstorable = /\0|\p{Cs}/u;

const checks = {
  /** What a caller may choose; it is cleaned where it is read. */
  string: (value: unknown): boolean => typeof value === 'string',
  text: (value: unknown): boolean => typeof value === 'string' && !unstorable.test(value),
  integer: (value: unknown): boolean => Number.isSafeInteger(value),
  boolean: (value: unknown): boolean => typeof value === 'boolean',
} as const;

/** By name, as a list: every frame is checked. */
type Parts = readonly (readonly [string, keyof typeof checks])[];

function parts(types: Readonly<Record<string, keyof typeof checks>>): Parts {
  return Object.entries(types) as Parts;
}

function hasParts(value: JsonObject, declared: Parts): boolean {
  return declared.every(([name, type]) => value[name] === undefined || checks[type](value[name]));
}

/** Asterisk's ids have at most 149 characters. One that has thousands would fit into no index. */
function isId(value: unknown): boolean {
  return typeof value === 'string' && /^[^\p{Cc}\p{Cs}]{1,255}$/u.test(value);
}
