import type { ReplayedCall } from './replay.js';

/** One field in which two replays are not the same. `undefined`: it is not there. */
export type Difference = {
  readonly call: string;
  readonly field: string;
  readonly one: unknown;
  readonly other: unknown;
};

/** Compares call by call, event by event, field by field. */
export function differences(one: readonly ReplayedCall[], other: readonly ReplayedCall[]): Difference[] {
  const others = new Map(other.map((call) => [call.record.id, call]));
  const ids = new Set([...one.map(({ record }) => record.id), ...others.keys()]);
  const ones = new Map(one.map((call) => [call.record.id, call]));
  return [...ids].flatMap((call) =>
    compare(ones.get(call), others.get(call), '').map((difference) => ({ call, ...difference })),
  );
}

/** Fields of two values that differ, by their paths; the value itself where it is no object in both. */
export function compare(one: unknown, other: unknown, field: string): Omit<Difference, 'call'>[] {
  if (Object.is(one, other)) return [];
  if (!isObject(one) || !isObject(other) || Array.isArray(one) !== Array.isArray(other)) return [{ field, one, other }];
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].flatMap((key) =>
    compare(one[key], other[key], field === '' ? key : `${field}.${key}`),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
