/** Where Asterisk says a wire between two rooms leads (`attended_transfer_bridge` in bridge.c). */
export const ATTENDED = { context: 'transfer', exten: '_attended' } as const;

const name = new RegExp(String.raw`^Local/${ATTENDED.exten}@${ATTENDED.context}-[0-9a-f]+;1$`);

/** Whether a channel, by its name, is the near end of such a wire. */
export function isAttendedWire(channel: string): boolean {
  return name.test(channel);
}
