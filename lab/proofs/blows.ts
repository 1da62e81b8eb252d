import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';

import { waitFor } from '../wait-for.js';
import { isConnected, startAgain, type Field } from './field.js';

/** What a blow did. */
export type Struck = {
  /** From the start of the process to its session with the switch, ms. */
  readonly restartMs?: number;
  /** From the cut until health said so, ms; null where it did not while the cut lasted. */
  readonly noticedMs?: number | null;
  /** How a line was cut. */
  readonly how?: string;
  /** Whether the moment came for which it waited. */
  readonly isHit?: boolean;
  /** When Ringline was killed, or asked to stop, and when what was broken was whole again; ms since 1970. */
  readonly killedAt?: number;
  readonly stoppedAt?: number;
  readonly healedAt?: number;
};

/** What is done to Ringline or to what it needs, and when, seconds after the first call. */
export type Blow = {
  readonly at: number;
  readonly what: string;
  readonly strike: (field: Field) => Promise<Struck>;
};

export const KILL = 'kill -9';

export function kill(at: number): Blow {
  const strike = async (field: Field): Promise<Struck> => {
    const killedAt = Date.now();
    await field.ringline.kill();
    return { killedAt, restartMs: await startAgain(field) };
  };
  return { at, what: KILL, strike };
}

export function terminate(at: number): Blow {
  const strike = async (field: Field): Promise<Struck> => {
    const stoppedAt = Date.now();
    await field.ringline.stop();
    return { stoppedAt, restartMs: await startAgain(field) };
  };
  return { at, what: 'request to stop', strike };
}

export function freeze(at: number, seconds: number): Blow {
  const strike = async ({ ringline }: Field): Promise<Struck> => {
    ringline.signal('SIGSTOP');
    await sleep(seconds * 1000);
    ringline.signal('SIGCONT');
    return {};
  };
  return { at, what: `frozen for ${seconds} s`, strike };
}

/** Silence between Ringline and Asterisk. */
export function partition(at: number, seconds: number): Blow {
  const strike = async (field: Field): Promise<Struck> => {
    const cutAt = Date.now();
    await field.line.cut();
    const noticedMs = await waitFor(async () => !(await isConnected(field)), {
      what: 'health to tell of it',
      timeoutMs: seconds * 1000,
      everyMs: 100,
    }).then(
      () => Date.now() - cutAt,
      () => null,
    );
    await sleep(Math.max(0, cutAt + seconds * 1000 - Date.now()));
    await field.line.heal();
    return { noticedMs, how: field.line.how, healedAt: Date.now() };
  };
  return { at, what: `cut off from Asterisk for ${seconds} s`, strike };
}

/** Connections are refused, as while a server is updated. */
export function withoutPostgres(at: number, seconds: number): Blow {
  const strike = async ({ lab }: Field): Promise<Struck> => {
    await lab.postgres.stop('fast');
    await sleep(seconds * 1000);
    await lab.postgres.start();
    return { healedAt: Date.now() };
  };
  return { at, what: `PostgreSQL stopped for ${seconds} s`, strike };
}

/** Connections stay, and nothing is answered. */
export function frozenPostgres(at: number, seconds: number): Blow {
  const strike = async ({ lab }: Field): Promise<Struck> => {
    await lab.postgres.signalAll('SIGSTOP');
    await sleep(seconds * 1000);
    await lab.postgres.signalAll('SIGCONT');
    return { healedAt: Date.now() };
  };
  return { at, what: `PostgreSQL frozen for ${seconds} s`, strike };
}

export function flushedRedis(at: number): Blow {
  const strike = async ({ lab }: Field): Promise<Struck> => {
    const redis = new Redis(lab.redis.url);
    await redis.flushall();
    redis.disconnect();
    return { healedAt: Date.now() };
  };
  return { at, what: 'Redis emptied', strike };
}

export function withoutRedis(at: number, seconds: number): Blow {
  const strike = async ({ lab }: Field): Promise<Struck> => {
    await lab.redis.kill();
    await sleep(seconds * 1000);
    await lab.redis.start();
    return { healedAt: Date.now() };
  };
  return { at, what: `Redis killed for ${seconds} s`, strike };
}
