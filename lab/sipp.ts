import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { UnpackedPackages } from './debian-packages.js';
import { fillPlaceholders } from './fill-placeholders.js';
import { keepProcess } from './kept-process.js';
import type { LabPorts } from './ports.js';
import { projectRoot } from './project-root.js';
import { parseMessages, sipCalls, type SipCall, type SipMessage } from './sip-trace.js';
import { register } from './sip-register.js';
import { waitFor } from './wait-for.js';

/** stream: sends a tone all the time; echo: sends back what it gets; none: no sound at all. */
export type Media = 'stream' | 'echo' | 'none';

export interface PhoneOptions {
  /** Names the log folder. */
  readonly name?: string;
  /** Listens here; a free port of the lab unless given (lab.ports.trunk to be the carrier). */
  readonly port?: number;
  /** Registers at Asterisk as these users ("agent1"); none unless given. */
  readonly register?: readonly string[];
  /** Says nothing but 100 for so long: 0 unless told. */
  readonly tryingMs?: number;
  /** 180 unless told; 183 comes with sound. */
  readonly provisional?: 180 | 183 | 'none';
  /** How long it rings until it decides: 0 unless told; "forever" until it is cancelled. */
  readonly ringMs?: number | 'forever';
  /** Refuses with this status line, for example "486 Busy Here", instead of answering. */
  readonly refuse?: string;
  /** Hangs up so long after it answered; waits for BYE unless told. */
  readonly talkMs?: number;
  /** In calls to this number it answers, presses a key if told, and does not hang up: a mobile phone, or its mailbox. */
  readonly mobile?: { readonly number: string; readonly key?: string; readonly afterMs?: number };
  /** What it takes besides sound, as lines of SDP. */
  readonly answers?: readonly string[];
  /** What it takes in place of sound when it is offered something else in a call. */
  readonly reanswers?: readonly string[];
  /** echo unless told. */
  readonly media?: Media;
  /** Calls at once that send or echo sound; 10 unless told. */
  readonly mediaCalls?: number;
}

export interface CallerOptions {
  readonly name?: string;
  /** One call each; repeated from the start when `count` is larger. */
  readonly calls: ReadonlyArray<{ readonly from: string; readonly to: string }>;
  /** All of `calls` once unless told. */
  readonly count?: number;
  /** Calls a second: 10 unless told. */
  readonly rate?: number;
  /** From which line the call comes: "trunk" unless told; false for an agent, whom his From names. */
  readonly trunk?: string | false;
  /** Cancels when nobody answered so long after the last sign of progress; never unless told. */
  readonly giveUpMs?: number;
  /** Hangs up so long after the answer; waits for BYE unless told. */
  readonly talkMs?: number;
  /** stream unless told. */
  readonly media?: Media;
  readonly mediaCalls?: number;
  /** Further header lines of the INVITE. */
  readonly headers?: readonly string[];
  /** Stands behind the number in From, for example ";ext=12". */
  readonly userParameters?: string;
  /** What it offers besides sound, as lines of SDP. */
  readonly offers?: readonly string[];
  /** What it offers in place of all that half a second after the answer, by a re-INVITE. */
  readonly reoffers?: readonly string[];
}

export interface Phone {
  readonly port: number;
  readonly pid: number;
  readonly dir: string;
  messages(): Promise<SipMessage[]>;
  calls(): Promise<SipCall[]>;
  /** Waits until a call is as `wanted` says and gives it. */
  call(wanted: (call: SipCall) => boolean, what: string, timeoutMs?: number): Promise<SipCall>;
  /** Registers (again) with the users it was started with, as a phone does after its registrar was gone. */
  register(): Promise<void>;
  /** Takes its registrations back; the phone itself goes on and can still be called by its address. */
  unregister(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Signs off and ends. To let a phone vanish without a word, use signal('SIGKILL'). */
  stop(this: void): Promise<void>;
}

export interface Caller extends Phone {
  /** Settles when all its calls are over. */
  readonly done: Promise<void>;
}

export interface Sipp {
  /** Starts a phone that can be called. */
  phone(options?: PhoneOptions): Promise<Phone>;
  /** Starts calls. */
  caller(options: CallerOptions): Promise<Caller>;
  stopAll(): Promise<void>;
}

export interface SippOptions {
  readonly packages: UnpackedPackages;
  readonly dir: string;
  readonly ports: LabPorts;
  readonly sipPort: number;
  readonly aliveFile: string;
}

const NEVER_MS = 24 * 3_600_000;
// SIPp keeps a finished call for this long, to answer what is repeated: then a late duplicate is no new call.
const LINGER_MS = { uas: 500, uac: 100 };
const REFUSALS = [400, 401, 403, 404, 405, 408, 410, 480, 481, 482, 484, 486, 487, 488, 491];
const FAILURES = [500, 501, 502, 503, 504, 600, 603, 604, 606];

export function sippIn(lab: SippOptions): Sipp {
  const running = new Set<() => Promise<void>>();
  let started = 0;

  async function start(
    name: string,
    scenario: 'uas' | 'uac',
    values: Readonly<Record<string, string>>,
    media: Media,
    mediaCalls: number,
    port: number,
    args: (dir: string) => Promise<readonly string[]>,
  ): Promise<Caller> {
    started += 1;
    const dir = join(lab.dir, `${started}-${name}`);
    await mkdir(dir, { recursive: true });
    const tone = join(dir, 'tone.ul');
    if (media === 'stream') await writeFile(tone, TONE);
    const file = join(dir, `${scenario}.xml`);
    const source = await readFile(join(projectRoot, 'lab/sipp', `${scenario}.xml`), 'utf8');
    const filled = fillPlaceholders(
      source.replace(/<!--[^]*?-->\n/g, ''),
      {
        MEDIA_PORT: mediaPort(media),
        MEDIA_ACTION: media === 'stream' ? `<exec rtp_stream="${tone},-1,0,PCMU/8000"/>` : '',
        LINGER_MS: String(LINGER_MS[scenario]),
        ...values,
      },
      `${scenario}.xml`,
    );
    await writeFile(file, filled);
    // A stream takes four ports a call (RTP, RTCP and the same for video); an echo takes four in all.
    const mediaPorts = media === 'stream' ? 4 * mediaCalls + 4 : 6;
    const firstMedia = await lab.ports.nextMedia(mediaPorts);
    const messageLog = join(dir, 'messages.log');
    const program = lab.packages.command('usr/bin/sipp', [
      `127.0.0.1:${lab.sipPort}`,
      ...flags({
        sf: file,
        i: '127.0.0.1',
        p: port,
        ci: '127.0.0.1',
        cp: await lab.ports.next(),
        mi: '127.0.0.1',
        min_rtp_port: firstMedia,
        max_rtp_port: firstMedia + mediaPorts - 1,
        message_file: messageLog,
        error_file: join(dir, 'errors.log'),
      }),
      '-bind_local',
      '-nostdin',
      '-aa',
      '-trace_msg',
      '-trace_err',
      ...(media === 'echo' ? ['-rtp_echo'] : []),
      ...(await args(dir)),
    ]);
    const kept = await keepProcess(program.command, program.args, {
      logFile: join(dir, 'screen.log'),
      aliveFile: lab.aliveFile,
      stopSignal: 'KILL',
      cwd: dir,
      env: { ...process.env, TZ: 'UTC', TERM: 'dumb' },
    });
    const messages = async () => parseMessages(await readFile(messageLog, 'utf8').catch(() => ''));
    const calls = async () => sipCalls(await messages());
    const end = async () => {
      running.delete(end);
      await kept.stop();
    };
    running.add(end);
    const phone: Caller = {
      port,
      pid: kept.pid,
      dir,
      messages,
      calls,
      call: (wanted, what, timeoutMs) =>
        waitFor(async () => (await calls()).find(wanted), { what, ...(timeoutMs === undefined ? {} : { timeoutMs }) }),
      register: () => Promise.resolve(),
      unregister: () => Promise.resolve(),
      signal: (signal) => kept.signal(signal),
      stop: end,
      done: kept.exited.then(async (code) => {
        // 1: some call did not go as the scenario says, which is the business of whoever reads the log.
        if (code > 1 && code !== 137) {
          const said = await readFile(join(dir, 'screen.log'), 'utf8').catch(() => '');
          throw new Error(`SIPp ended with ${code}: see ${dir}\n${said.trim().split('\n').slice(-5).join('\n')}`);
        }
      }),
    };
    phone.done.catch(() => undefined);
    return phone;
  }

  return {
    async phone(options = {}) {
      const port = options.port ?? (await lab.ports.next());
      const media = options.media ?? 'echo';
      const sound = [`m=audio ${mediaPort(media)} RTP/AVP 0`, 'a=rtpmap:0 PCMU/8000'];
      const phone = await start(
        options.name ?? 'phone',
        'uas',
        {
          TRYING_MS: String(Math.max(1, options.tryingMs ?? 0)),
          PROVISIONAL: { 180: 'ring', 183: 'early', none: 'wait' }[options.provisional ?? 180],
          RING_MS: String(options.ringMs === 'forever' ? NEVER_MS : Math.max(1, options.ringMs ?? 0)),
          FINAL: options.refuse ? 'refuse' : 'answer',
          STATUS: options.refuse ?? '486 Busy Here',
          TALK_MS: String(options.talkMs ?? NEVER_MS),
          ANSWER: [...sound, ...(options.answers ?? [])].join('\n'),
          REANSWER: (options.reanswers ?? [...sound, ...(options.answers ?? [])]).join('\n'),
          ...mobileParts(options.mobile),
        },
        media,
        options.mediaCalls ?? 10,
        port,
        () => Promise.resolve([]),
      );
      await waitFor(() => listensOn(port), { what: `SIPp to listen on ${port} (${phone.dir})` });
      const users = options.register ?? [];
      let registered: readonly string[] = [];
      const registerAll = async () => {
        registered = users;
        await Promise.all(users.map((user) => register({ sipPort: lab.sipPort, user, contactPort: port })));
      };
      const unregister = async (timeoutMs?: number) => {
        const last = registered;
        registered = [];
        await Promise.all(
          last.map((user) =>
            register({
              sipPort: lab.sipPort,
              user,
              contactPort: port,
              expiresSeconds: 0,
              ...(timeoutMs && { timeoutMs }),
            }),
          ),
        );
      };
      await registerAll();
      const { stop } = phone;
      return Object.assign(phone, {
        register: registerAll,
        unregister: () => unregister(),
        // A contact that stays behind would get the calls of the next phone with this name.
        stop: async () => {
          await unregister(500).catch(() => undefined);
          await stop();
        },
      });
    },

    async caller(options) {
      const port = await lab.ports.next();
      const trunk = options.trunk ?? 'trunk';
      const giveUpMs = String(options.giveUpMs ?? NEVER_MS);
      const headers = [...(trunk === false ? [] : [`X-Lab-Trunk: ${trunk}`]), ...(options.headers ?? [])];
      return start(
        options.name ?? 'caller',
        'uac',
        {
          // An empty line would end the header, so there is always one.
          HEADERS: ['Supported: replaces', ...headers].join('\n'),
          REFUSALS: [...REFUSALS, ...FAILURES]
            .map(
              (status) =>
                `  <recv response="${status}" optional="true" timeout="${giveUpMs}" ontimeout="give-up" next="refused"/>`,
            )
            .join('\n'),
          GIVE_UP_MS: giveUpMs,
          TALK_MS: String(options.talkMs ?? NEVER_MS),
          USER_PARAMETERS: options.userParameters ?? '',
          // A line of its own for each, and none where there is nothing.
          OFFERS: (options.offers ?? []).map((line) => `\n${line}`).join(''),
          REOFFER: options.reoffers === undefined ? '' : await reoffer(options.reoffers, options.userParameters ?? ''),
        },
        options.media ?? 'stream',
        options.mediaCalls ?? 10,
        port,
        async (dir) => {
          const list = join(dir, 'calls.csv');
          await writeFile(list, `SEQUENTIAL\n${options.calls.map(({ from, to }) => `${from};${to};\n`).join('')}`);
          const count = options.count ?? options.calls.length;
          return flags({ inf: list, m: count, r: options.rate ?? 10, l: 5_000 });
        },
      );
    },

    async stopAll() {
      // Asterisk goes too, so nobody has to sign off.
      await Promise.all([...running].map((end) => end()));
    },
  };
}

/** The part of a caller's script in which he offers something else. */
async function reoffer(lines: readonly string[], userParameters: string): Promise<string> {
  const source = await readFile(join(projectRoot, 'lab/sipp/reoffer.xml'), 'utf8');
  const values = { REOFFERS: lines.join('\n'), USER_PARAMETERS: userParameters };
  return fillPlaceholders(source.replace(/<!--[^]*?-->\n/g, ''), values, 'reoffer.xml');
}

/** What uas.xml does in calls to one number only. SIPp refuses a variable that is set and never read. */
function mobileParts(mobile: PhoneOptions['mobile']): Readonly<Record<string, string>> {
  if (mobile === undefined)
    return { IS_MOBILE: '', IF_MOBILE: '', IF_PRESSED: '', PRESSED: '', KEY: '', KEY_MS: String(NEVER_MS) };
  const number = mobile.number.replace('+', '\\+');
  return {
    IS_MOBILE: `<action><ereg regexp="sip:${number}@" search_in="hdr" header="To:" check_it="false" assign_to="mobile"/></action>`,
    IF_MOBILE: '<nop next="mobile" test="mobile"/>',
    IF_PRESSED: '<nop next="pressed" test="pressed"/>',
    PRESSED: '<nop><action><assignstr assign_to="pressed" value="yes"/></action></nop>',
    KEY: mobile.key ?? '',
    KEY_MS: String(mobile.key === undefined ? NEVER_MS : (mobile.afterMs ?? 1_000)),
  };
}

/** One second of a 400 Hz tone in mu-law, which can be repeated without a click. */
const TONE = Buffer.from(Array.from({ length: 8000 }, (_, sample) => muLaw(8000 * Math.sin((sample * Math.PI) / 10))));

/** G.711: one linear sample (16 bit) as a byte. */
function muLaw(linear: number): number {
  const sign = linear < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(Math.round(linear)), 32_635) + 132;
  const exponent = Math.max(0, Math.floor(Math.log2(magnitude)) - 7);
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  return ~(sign | (exponent << 4) | mantissa) & 0xff;
}

/** Whether a UDP socket of this machine is bound to the port on 127.0.0.1 (asking by binding would get in the way). */
async function listensOn(port: number): Promise<boolean> {
  const address = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  return (await readFile('/proc/net/udp', 'utf8')).includes(address);
}

function mediaPort(media: Media): string {
  return media === 'stream' ? '[rtpstream_audio_port]' : '[media_port]';
}

function flags(values: Readonly<Record<string, string | number>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => [`-${name}`, String(value)]);
}
