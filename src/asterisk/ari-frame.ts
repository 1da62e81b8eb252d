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

export type AriFrame = {
  readonly type: string;
  readonly timestamp?: string;
  readonly application?: string;
  readonly args?: readonly string[];
  readonly channel?: AriChannel;
  readonly peer?: AriChannel;
  readonly bridge?: AriBridge;
  readonly dialstatus?: string;
  readonly cause?: number;
  readonly cause_txt?: string;
  readonly tech_cause?: number;
  /** In a hangup request: it came from inside the switch. */
  readonly soft?: boolean;
};

/** A frame as it came from the socket, or null when it is not a JSON object with a type. Never throws. */
export function parseFrame(data: string): AriFrame | null {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const frame = value as Record<string, unknown>;
  if (typeof frame.type !== 'string') return null;
  for (const part of ['channel', 'peer', 'bridge']) {
    const inner = frame[part];
    if (
      inner !== undefined &&
      (typeof inner !== 'object' || inner === null || typeof (inner as { id?: unknown }).id !== 'string')
    )
      return null;
  }
  if (frame.args !== undefined && !(Array.isArray(frame.args) && frame.args.every((arg) => typeof arg === 'string')))
    return null;
  return frame as unknown as AriFrame;
}
