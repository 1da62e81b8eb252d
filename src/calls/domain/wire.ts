/** A wire has two ends that the switch names alike: what the other one is called; null for what is no end of a wire. */
export function otherEndOfWire(name: string | null): string | null {
  const [, wire, end] = /^(.*);([12])$/s.exec(name ?? '') ?? [];
  return wire === undefined ? null : `${wire};${end === '1' ? 2 : 1}`;
}
