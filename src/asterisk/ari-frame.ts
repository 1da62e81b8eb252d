/** The parts of ARI's channel, bridge and event objects that Ringline reads. Everything may be missing: it comes from outside. */
export type AriChannel = {
  readonly id: string;
  readonly name?: string;
  readonly state?: string;
  /** SIP Call-ID, for PJSIP channels. */
  readonly protocol_id?: string;
  readonly caller?: { readonly number?: string; readonly name?: string };
  readonly dialplan?: { readonly app_name?: string; readonly app_data?: string };
  readonly creationtime?: string;
  readonly channelvars?: Readonly<Record<string, string>>;
};

export type AriBridge = { readonly id: string; readonly channels?: readonly string[]; readonly creationtime?: string };

export type AriRecording = { readonly name: string; readonly duration?: number; readonly cause?: string };

export type AriFrame = {
  readonly type: string;
  readonly timestamp?: string;
  readonly application?: string;
  readonly args?: readonly string[];
  readonly channel?: AriChannel;
  readonly peer?: AriChannel;
  readonly bridge?: AriBridge;
  readonly recording?: AriRecording;
  readonly dialstatus?: string;
  /** Of a user event. */
  readonly eventname?: string;
  readonly cause?: number;
  readonly cause_txt?: string;
  readonly tech_cause?: number;
  /** In a hangup request: it came from inside the switch. */
  readonly soft?: boolean;
};

/** What a part must be where it is there. A switch that lies, or a proxy in between, shall not put other things into records. */
const channelParts = { name: 'string', state: 'string', protocol_id: 'string', creationtime: 'string' } as const;
const frameParts = {
  timestamp: 'string',
  application: 'string',
  dialstatus: 'string',
  eventname: 'string',
  cause: 'number',
  cause_txt: 'string',
  tech_cause: 'number',
  soft: 'boolean',
} as const;

/** A frame as it came from the socket, or null when it is not a JSON object with a type and parts as declared. Never throws. */
export function parseFrame(data: string): AriFrame | null {
  let frame: unknown;
  try {
    frame = JSON.parse(data);
  } catch {
    return null;
  }
  if (!isObject(frame) || typeof frame.type !== 'string' || !hasParts(frame, frameParts)) return null;
  const { channel, peer, bridge, recording, args } = frame;
  if (![channel, peer].every((part) => part === undefined || isChannel(part))) return null;
  if (bridge !== undefined && !(isObject(bridge) && typeof bridge.id === 'string')) return null;
  if (recording !== undefined && !isRecording(recording)) return null;
  if (args !== undefined && !(Array.isArray(args) && args.every((arg) => typeof arg === 'string'))) return null;
  return frame as unknown as AriFrame;
}

function isChannel(channel: unknown): boolean {
  if (!isObject(channel) || typeof channel.id !== 'string' || !hasParts(channel, channelParts)) return false;
  const { caller, channelvars } = channel;
  return (
    (caller === undefined || (isObject(caller) && hasParts(caller, { number: 'string', name: 'string' }))) &&
    (channelvars === undefined ||
      (isObject(channelvars) && Object.values(channelvars).every((value) => typeof value === 'string')))
  );
}

function isRecording(recording: unknown): boolean {
  return (
    isObject(recording) &&
    typeof recording.name === 'string' &&
    hasParts(recording, { duration: 'number', cause: 'string' })
  );
}

type Parts = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Parts {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasParts(value: Parts, parts: Readonly<Record<string, 'string' | 'number' | 'boolean'>>): boolean {
  return Object.entries(parts).every(([name, type]) => value[name] === undefined || typeof value[name] === type);
}
