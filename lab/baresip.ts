import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { controlBaresip, type BaresipControl, type BaresipEvent } from './baresip-control.js';
import type { UnpackedPackages } from './debian-packages.js';
import { keepProcess, type KeptProcess } from './kept-process.js';
import type { LabPorts } from './ports.js';
import { waitFor } from './wait-for.js';

/**
 * What happens to a call: it rings here (incoming) or there (ringing), brings sound before the answer (early-media), is
 * answered (established), agrees on sound anew (media: hold, resume, another party), is sent a digit, cannot be transferred,
 * ends (closed).
 */
export type PhoneEventType =
  'incoming' | 'ringing' | 'early-media' | 'established' | 'media' | 'digit' | 'transfer-failed' | 'closed';

export interface PhoneEvent {
  readonly type: PhoneEventType;
  /** Milliseconds since 1970, when it was heard of. */
  readonly at: number;
  /**
   * Of closed and transfer-failed: the status line ("486 Busy Here"), or "Connection reset by peer" after a BYE. Of media:
   * what we do with sound, for example "sendonly" when the other side is held. Of digit: which.
   */
  readonly reason: string;
}

/** One call, as a phone has it. Whatever is asked of it goes out at once; what follows is told by `waitFor`. */
export interface PhoneCall {
  /** SIP's Call-ID. */
  readonly id: string;
  readonly direction: 'incoming' | 'outgoing';
  /** Number or name of the other side when the call began. */
  readonly peer: string;
  readonly events: readonly PhoneEvent[];
  /** Settles when this happens, or at once when it did; rejects when the call is closed instead. 10 s unless told. */
  waitFor(type: PhoneEventType, timeoutMs?: number): Promise<PhoneEvent>;
  /** Settles when both sides are connected. */
  answer(): Promise<void>;
  /** 486 */
  reject(): Promise<void>;
  hangup(): Promise<void>;
  /** A re-INVITE with sendonly; settles when it is answered. */
  hold(): Promise<void>;
  resume(): Promise<void>;
  /** RFC 4733 events, one after the other. */
  dtmf(digits: string): Promise<void>;
  /** REFER to an extension or number. When it is refused the phone hangs up: "transfer-failed", then "closed". */
  blindTransfer(to: string): Promise<void>;
  /** REFER with Replaces: joins the other side of this call with the other side of `consultation`. */
  attendedTransfer(consultation: PhoneCall): Promise<void>;
}

/** A registered phone: one process of baresip, which sends a tone. */
export interface DeskPhone {
  readonly user: string;
  readonly port: number;
  readonly pid: number;
  readonly dir: string;
  /** All so far, in the order in which they began. */
  readonly calls: readonly PhoneCall[];
  /** Starts a call, with others held when it is answered. */
  dial(number: string): Promise<PhoneCall>;
  /** Settles with the next call that comes in: one that is not over and was not given before. 10 s unless told. */
  incoming(timeoutMs?: number): Promise<PhoneCall>;
  /** Whether it refuses every call by itself. */
  doNotDisturb(on: boolean): Promise<void>;
  /** To let it vanish without a word, use SIGKILL. */
  signal(signal: NodeJS.Signals): void;
  /** Hangs up, signs off and ends. */
  stop(this: void): Promise<void>;
}

export interface DeskPhoneOptions {
  /** Answers by itself so long after it began to ring; waits for `answer` unless told. */
  readonly answerAfterMs?: number;
  /** Takes calls to these numbers too, as somebody does whom a carrier reaches. */
  readonly numbers?: readonly string[];
}

export interface Baresip {
  /** Starts a phone of this user ("1001", "agent1"); settles when it is registered. A user may have several. */
  phone(user: string, options?: DeskPhoneOptions): Promise<DeskPhone>;
  /** Starts somebody outside, who has this number and whose calls come in by a trunk: "trunk" unless told. */
  customer(number: string, trunk?: string): Promise<DeskPhone>;
  stopAll(): Promise<void>;
}

export interface BaresipOptions {
  readonly packages: UnpackedPackages;
  readonly dir: string;
  readonly ports: LabPorts;
  readonly sipPort: number;
  readonly aliveFile: string;
}

// Two ports a call.
const MEDIA_PORTS = 16;
/** How fast a finger is. */
const BETWEEN_DIGITS_MS = 200;

const EVENTS: Readonly<Record<string, PhoneEventType>> = {
  CALL_INCOMING: 'incoming',
  CALL_RINGING: 'ringing',
  CALL_PROGRESS: 'early-media',
  CALL_ESTABLISHED: 'established',
  CALL_REMOTE_SDP: 'media',
  CALL_DTMF_START: 'digit',
  TRANSFER_FAILED: 'transfer-failed',
  CALL_CLOSED: 'closed',
};

export function baresipIn(lab: BaresipOptions): Baresip {
  const running = new Set<() => Promise<void>>();
  let started = 0;

  async function start(user: string, accounts: readonly string[], registers: boolean): Promise<DeskPhone> {
    started += 1;
    const dir = join(lab.dir, `${started}-${user}`);
    const { kept, port, controlPort, logFile } = await startProcess(lab, dir);
    const stop = async () => {
      running.delete(stop);
      await kept.stop();
    };
    running.add(stop);

    const calls: LiveCall[] = [];
    const given = new Set<PhoneCall>();
    let registration = '';
    const callOf = ({ id, direction, peeruri }: BaresipEvent): LiveCall => {
      const known = calls.find((call) => call.id === id);
      if (known) return known;
      const call = liveCall(control, logFile, String(id), direction ?? 'outgoing', userOf(peeruri ?? ''), lab.sipPort);
      calls.push(call);
      return call;
    };
    const onEvent = (event: BaresipEvent) => {
      if (event.type.startsWith('REGISTER_')) registration = `${event.type} ${event.param ?? ''}`;
      const type = EVENTS[event.type];
      if (type === undefined || event.id === undefined) return;
      const reason = type === 'media' ? event.remoteaudiodir : event.param;
      const call = callOf(event);
      call.heard({ type, at: Date.now(), reason: reason ?? '' });
      // baresip 1.1 hangs up then, and does not tell it.
      if (type === 'transfer-failed') call.heard({ type: 'closed', at: Date.now(), reason: reason ?? '' });
    };
    const control: BaresipControl = await waitFor(
      () => {
        if (kept.hasExited()) throw new Error(`baresip did not start: see ${logFile}`);
        return controlBaresip(controlPort, onEvent).catch(() => undefined);
      },
      { what: `baresip to listen (${logFile})` },
    );
    for (const account of accounts) await control.command('uanew', account);
    if (registers) {
      await waitFor(
        () => {
          if (registration.startsWith('REGISTER_FAIL')) throw new Error(`${user} cannot register: ${registration}`);
          return registration.startsWith('REGISTER_OK');
        },
        { what: `${user} to be registered (${logFile})` },
      );
    }
    return {
      user,
      port,
      pid: kept.pid,
      dir,
      calls,
      async dial(number) {
        const said = await control.command('dial', `sip:${number}@127.0.0.1:${lab.sipPort}`);
        const id = /call id: (\S+)/.exec(said)?.[1];
        if (id === undefined) throw new Error(`baresip did not dial ${number}: ${said}`);
        return callOf({ type: '', id, direction: 'outgoing', peeruri: `sip:${number}@127.0.0.1` });
      },
      async incoming(timeoutMs) {
        const call = await waitFor(
          () => calls.find((one) => one.direction === 'incoming' && !given.has(one) && !isClosed(one)),
          {
            what: `a call at ${user}`,
            ...(timeoutMs !== undefined && { timeoutMs }),
          },
        );
        given.add(call);
        return call;
      },
      async doNotDisturb(on) {
        await control.command('dnd', String(on));
      },
      signal: (signal) => kept.signal(signal),
      stop,
    };
  }

  return {
    phone(user, { answerAfterMs, numbers = [] } = {}) {
      const manner = answerAfterMs === undefined ? '' : `;answerdelay=${Math.max(1, answerAfterMs)}`;
      const others = numbers.map((number) => `<sip:${number}@127.0.0.1:${lab.sipPort}>;regint=0${manner}`);
      return start(user, [`<sip:${user}@127.0.0.1:${lab.sipPort}>;regint=3600${manner}`, ...others], true);
    },
    customer: (number, trunk = 'trunk') => start(number, [`<sip:${number}@${trunk}.example>;regint=0`], false),
    async stopAll() {
      await Promise.all([...running].map((stop) => stop()));
    },
  };
}

type LiveCall = PhoneCall & { heard(event: PhoneEvent): void };

function liveCall(
  control: BaresipControl,
  logFile: string,
  id: string,
  direction: 'incoming' | 'outgoing',
  peer: string,
  sipPort: number,
): LiveCall {
  const events: PhoneEvent[] = [];
  const waitForEvent = (type: PhoneEventType, timeoutMs?: number) =>
    waitFor(
      () => {
        const found = events.find((event) => event.type === type);
        const closed = events.find((event) => event.type === 'closed');
        if (!found && closed) throw new Error(`the call with ${peer} is closed and not ${type}: ${closed.reason}`);
        return found;
      },
      { what: `the call with ${peer} to be ${type}`, ...(timeoutMs !== undefined && { timeoutMs }) },
    );
  const untilSound = (wanted: 'sendonly' | 'sendrecv') =>
    waitFor(() => events.findLast((event) => event.type === 'media')?.reason === wanted, {
      what: `the call with ${peer} to be ${wanted}`,
    });
  const selected = async (command: string, parameters: string) => {
    await control.command('callfind', id);
    await control.command(command, parameters);
  };
  return {
    id,
    direction,
    peer,
    events,
    heard: (event) => void events.push(event),
    waitFor: waitForEvent,
    async answer() {
      await control.command('accept', id);
      await waitForEvent('established');
    },
    async reject() {
      await control.command('hangup', id);
    },
    async hangup() {
      await control.command('hangup', id);
    },
    async hold() {
      await control.command('hold', id);
      await untilSound('sendonly');
    },
    async resume() {
      // baresip 1.1 calls it an error when no other call has to be held for it, and resumes all the same.
      await control.command('resume', id).catch(() => undefined);
      await untilSound('sendrecv');
    },
    async dtmf(digits) {
      for (const digit of digits) {
        await selected('sndcode', digit);
        await delay(BETWEEN_DIGITS_MS);
      }
    },
    blindTransfer: (to) => selected('transfer', `sip:${to}@127.0.0.1:${sipPort}`),
    async attendedTransfer(consultation) {
      const { from, to } = tagsOf(await readFile(logFile, 'utf8'), consultation.id);
      // As the far end sees its own tag and ours.
      const [theirs, ours] = consultation.direction === 'outgoing' ? [to, from] : [from, to];
      const replaces = encodeURIComponent(`${consultation.id};to-tag=${theirs};from-tag=${ours}`);
      await selected('transfer', `sip:${consultation.peer}@127.0.0.1:${sipPort}?Replaces=${replaces}`);
    },
  };
}

async function startProcess(
  lab: BaresipOptions,
  dir: string,
): Promise<{ kept: KeptProcess; port: number; controlPort: number; logFile: string }> {
  const controlPort = await lab.ports.next();
  // It listens for SIP over TLS on the port above.
  const port = await lab.ports.nextMedia(2 + MEDIA_PORTS);
  const firstMedia = port + 2;
  await mkdir(dir, { recursive: true });
  const settings: Readonly<Record<string, string | number>> = {
    poll_method: 'epoll',
    net_interface: '127.0.0.1',
    sip_listen: `127.0.0.1:${port}`,
    ctrl_tcp_listen: `127.0.0.1:${controlPort}`,
    rtp_ports: `${firstMedia}-${firstMedia + MEDIA_PORTS - 1}`,
    call_max_calls: MEDIA_PORTS / 2,
    call_hold_other_calls: 'yes',
    // Nobody listens: there is a tone to send and nothing to play on.
    audio_source: 'ausine,400',
    ausrc_srate: 48_000,
    ausrc_channels: 1,
    jitter_buffer_type: 'off',
    ringback_disabled: 'yes',
    statmode_default: 'off',
    module_path: join(lab.packages.root, 'usr/lib/baresip/modules'),
  };
  const modules = ['module g711.so', 'module ausine.so', 'module_app menu.so', 'module_app ctrl_tcp.so'];
  const lines = [...Object.entries(settings).map(([name, value]) => `${name} ${value}`), ...modules];
  await writeFile(join(dir, 'config'), `${lines.join('\n')}\n`);
  const logFile = join(dir, 'baresip.log');
  const program = lab.packages.command('usr/bin/baresip', ['-4', '-s', '-f', dir]);
  const kept = await keepProcess(program.command, program.args, {
    logFile,
    aliveFile: lab.aliveFile,
    graceSeconds: 3,
    cwd: dir,
  });
  return { kept, port, controlPort, logFile };
}

/** Tags of an answered call, from the messages that baresip -s writes: it tells them nowhere else. */
export function tagsOf(log: string, callId: string): { readonly from: string; readonly to: string } {
  for (const message of log.split(/^(?=UDP \S+ -> \S+$)/m)) {
    const header = (name: string) => new RegExp(`^${name}: *(.*?)\\r?$`, 'im').exec(message)?.[1] ?? '';
    if (!/^SIP\/2\.0 200 /m.test(message) || header('Call-ID') !== callId || !header('CSeq').endsWith('INVITE'))
      continue;
    const [from, to] = ['From', 'To'].map((name) => /;tag=([^;\s]+)/.exec(header(name))?.[1]);
    if (from !== undefined && to !== undefined) return { from, to };
  }
  throw new Error(`the call ${callId} was not answered: nobody can be transferred to it`);
}

function isClosed({ events }: PhoneCall): boolean {
  return events.some(({ type }) => type === 'closed');
}

function userOf(uri: string): string {
  return /^sips?:([^@;>]*)@/.exec(uri)?.[1] ?? uri;
}
