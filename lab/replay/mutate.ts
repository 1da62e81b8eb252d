import type { Chance } from './chance.js';

/** Values that no switch should send, and some that only a broken clock or a hostile caller brings about. */
const hostile: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  127,
  1e308,
  2 ** 53,
  '',
  's',
  '\0',
  'a\0b',
  '\ud800',
  '\u202e\u2066x',
  'a\nb\tc',
  '{"type":"StasisStart"}',
  '__proto__',
  'constructor',
  'rl-',
  'rl-00000000-0000-0000-0000-000000000000-r',
  "'; drop table call; --",
  '<script>alert(1)</script>',
  '🤙'.repeat(70),
  'x'.repeat(5_000),
  '9'.repeat(300),
  '1970-01-01T00:00:00.000+0000',
  '0000-01-01T00:00:00.000+0000',
  '9999-12-31T23:59:59.999-1200',
  '2026-02-30T25:61:61.000+0000',
  '2026-11-22T11:03:35.455+9999',
  '2026-11-22T11:03:35.455123456789+0530',
  '2031-01-01T00:00:00.000+0000',
  'Up',
  'Ringing',
  'RINGING',
  'ChannelDestroyed',
  'StasisStart',
  'ChannelLeftBridge',
  [],
  {},
  ['inbound', '4930'],
  [['inbound']],
  { id: 'other' },
  { id: {} },
];

/** What a wire, a proxy or a switch that lies may make of a message. `others`: messages to take parts from. */
export function mutate(text: string, others: readonly string[], chance: Chance): string {
  const turn = chance.next();
  if (turn < 0.1) return text;
  if (turn < 0.25) return mutateText(text, others, chance);
  const frame = JSON.parse(text) as Record<string, unknown>;
  const turns = 1 + chance.below(3);
  for (let i = 0; i < turns; i++) mutateValue(frame, others, chance);
  return JSON.stringify(frame);
}

function mutateText(text: string, others: readonly string[], chance: Chance): string {
  const at = chance.below(text.length);
  switch (chance.below(7)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(at);
    case 2:
      return text.slice(0, at) + String.fromCharCode(chance.below(0x10000)) + text.slice(at + 1);
    case 3:
      return text.slice(0, at) + String(chance.pick(hostile)) + text.slice(at);
    case 4:
      return text.slice(0, at) + chance.pick(others).slice(at);
    case 5:
      return text + chance.pick(others);
    default:
      return '['.repeat(1 + chance.below(5_000));
  }
}

/** Changes one value somewhere in a document. */
export function mutateValue(frame: Record<string, unknown>, others: readonly string[], chance: Chance): void {
  const [holder, key] = somewhere(frame, chance);
  switch (chance.below(5)) {
    case 0:
      delete holder[key];
      break;
    case 1: {
      const [other, otherKey] = somewhere(JSON.parse(chance.pick(others)) as Record<string, unknown>, chance);
      holder[key] = other[otherKey];
      break;
    }
    case 2: {
      // The same part of another message: another leg, room, time or cause.
      const other = JSON.parse(chance.pick(others)) as Record<string, unknown>;
      const part = chance.pick(Object.keys(other));
      frame[part] = other[part];
      break;
    }
    default:
      holder[key] = structuredClone(chance.pick(hostile));
  }
}

/** A place in a document: who holds it, and under which name. */
function somewhere(root: Record<string, unknown>, chance: Chance): [Record<string, unknown>, string] {
  let holder = root;
  for (;;) {
    const keys = Object.keys(holder);
    if (keys.length === 0) return [holder, 'type'];
    const key = chance.pick(keys);
    const value = holder[key];
    if (typeof value !== 'object' || value === null || chance.isBelow(0.25)) return [holder, key];
    holder = value as Record<string, unknown>;
  }
}
