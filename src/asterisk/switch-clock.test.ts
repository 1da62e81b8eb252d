import { describe, expect, it } from 'vitest';
import type { AriFrame } from './ari-frame.js';
import { parseAriTime, writeAriTime as ariTime } from './ari-time.js';
import { SwitchClock } from './switch-clock.js';

const NOON = Date.parse('2026-11-22T12:00:00.000Z');

function scene() {
  const told: number[] = [];
  const clock = new SwitchClock((setBackMs) => told.push(Math.round(setBackMs / 100) * 100));
  const hear = clock.listen();
  /** What becomes of the time of an event that comes so many seconds after noon, by a clock that is so far behind; by tenths. */
  const read = (seconds: number, behind = 0, by = hear): number => {
    const frame = by({ type: 'Dial', timestamp: ariTime(NOON + (seconds - behind) * 1_000) }, seconds * 1_000);
    return Math.round(((parseAriTime(frame.timestamp) ?? NaN) - NOON) / 100) / 10;
  };
  return { clock, told, read, hear };
}

describe('a switch whose clock is set back', () => {
  it('goes on as if it had not been, by the time that went by', () => {
    const { read, told } = scene();
    expect([read(0), read(10), read(20, 90), read(31, 90)]).toEqual([0, 10, 20, 31]);
    expect(told).toEqual([90_000]);
  });

  it('is not taken to be where it would be, had it not been slow for days', () => {
    const { read, told } = scene();
    for (let day = 0; day < 30; day++) for (let hour = 0; hour < 24; hour++) read((day * 24 + hour) * 3_600, day * 4);
    const after = 30 * 24 * 3_600;
    read(after - 10, 29 * 4);
    expect(read(after, 29 * 4 + 90)).toBe(after - 29 * 4);
    expect(told).toEqual([90_000]);
  });

  it('is followed further when that happens again, and when it is set right', () => {
    const { read, told } = scene();
    expect([read(0), read(10, 90), read(20, 120), read(30), read(40, 120)]).toEqual([0, 10, 20, 30, 40]);
    expect(told).toEqual([90_000, 120_000, 120_000]);
  });

  it('is known on another connection from what it tells there, what it told before it was set included', () => {
    const { clock, read } = scene();
    const other = clock.listen();
    expect([read(0), read(0, 0, other), read(10, 90)]).toEqual([0, 0, 10]);
    expect(read(9, 0, other)).toBe(9);
    expect(read(11, 90, other)).toBe(11);
  });

  it('is believed again when nothing is under way any more', () => {
    const { clock, read } = scene();
    expect([read(0), read(10, 90)]).toEqual([0, 10]);
    clock.settle();
    expect([read(20, 90), read(30, 90)]).toEqual([-70, -60]);
    expect(clock.setBackMs).toBe(0);
  });

  it('tells when a channel was made: by the clock as it was then', () => {
    const { hear, read } = scene();
    expect([read(0), read(10, 90)]).toEqual([0, 10]);
    const made = (at: number, type: string): string | undefined => {
      const channel = { id: 'a', creationtime: ariTime(NOON + at * 1_000) };
      return hear({ type, timestamp: ariTime(NOON - 70_000), channel }, 20_000).channel?.creationtime;
    };
    expect(parseAriTime(made(-71, 'StasisStart'))).toBeCloseTo(NOON + 19_000, -2);
    expect(made(5, 'StasisStart')).toBe(ariTime(NOON + 5_000));
    expect(made(-71, 'ChannelDestroyed')).toBe(ariTime(NOON - 71_000));
  });
});

describe('a switch whose clock is not set back', () => {
  it('is believed when it is set forward, when its events come late, and in a little disorder', () => {
    const { read, told } = scene();
    expect([read(0), read(1, -3_600), read(31, -3_600 + 30), read(32, -3_600 + 4)]).toEqual([0, 3_601, 3_601, 3_628]);
    expect([read(33, -3_596.5), read(33, -3_594)]).toEqual([3_629.5, 3_627]);
    expect(told).toEqual([]);
  });

  it('is believed when what was asked for passes what waits in the switch', () => {
    const { read, told, hear } = scene();
    hear({ type: 'ChannelUserevent', timestamp: ariTime(NOON + 60_000) }, 60_000);
    expect([read(61, 60), read(62, 30), read(63)]).toEqual([1, 32, 63]);
    expect(told).toEqual([]);
  });

  it('is not followed to where no clock is', () => {
    const { read, told, hear } = scene();
    const absurd: AriFrame = { type: 'Dial', timestamp: '2199-01-01T00:00:00.000+0000' };
    expect([read(0), hear(absurd, 1_000), read(2)]).toEqual([0, absurd, 2]);
    expect(told).toEqual([]);
    const none: AriFrame = { type: 'Dial', timestamp: 'soon' };
    expect([hear(none), hear({ type: 'Dial' })]).toEqual([none, { type: 'Dial' }]);
  });
});
