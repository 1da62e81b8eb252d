import { DEVICE_STATES, isRunning, neededOf, parseVersion } from '../start-up-report.js';
import type { PbxView, SeenEndpoint, SeenNumber } from './look-at-pbx.js';

/** How a line begins: it is as it should be; good to know; to be done. */
type Mark = 'ok' | 'note' | 'do';

/** What Ringline sees of a PBX, and what follows, for the person who is to join it. */
export function tellPbx(view: PbxView, ariUrl: string, appName: string): string {
  const { version, startedAt } = view.identity;
  const sections = [
    section(
      `Asterisk ${plain(version)} at ${ariUrl}, started ${new Date(startedAt).toISOString()}`,
      aboutVersion(view),
    ),
    section('Modules', aboutModules(view)),
    section('Calls that the dial plan makes by itself', aboutObserving(view)),
    section('Endpoints', aboutEndpoints(view)),
    section('Apps of ARI', aboutApps(view, appName)),
    section('Asterisk’s own log (CEL)', aboutLog(view)),
    section('The fall-back, for calls that you hand to Ringline', aboutFallback(view.numbers, view.channels)),
  ];
  return sections.join('\n');
}

function aboutVersion({ fault }: PbxView): string[] {
  if (fault === null) return [line('ok', 'The version is supported, and has the known security fixes.')];
  const detail = fault.detail.replace(/\.$/, '');
  if (fault.code === 'asterisk-too-old') return [line('do', `Not supported: ${detail}. ${fault.remedy}`)];
  return [line('do', `Supported, but: ${detail}. ${fault.remedy}`)];
}

function aboutModules({ modules }: PbxView): string[] {
  if (modules === null) return [line('note', 'Asterisk does not tell which modules are loaded: see `module show`.')];
  const needed = neededOf(modules);
  const missing = needed.filter(({ running }) => !running).map(({ name }) => name);
  const lines = [
    missing.length === 0
      ? line('ok', `All ${needed.length} that Ringline needs are loaded.`)
      : line('do', `Not loaded, and needed: ${missing.join(', ')}.`),
  ];
  if (isRunning(modules, DEVICE_STATES)) {
    lines.push(
      line('note', `${DEVICE_STATES} is loaded. With it ARI can lock up when a program that is subscribed to`),
      more('everything closes its socket under load. Ringline is subscribed to less (below). Leave the module'),
      more('out unless another program needs it.'),
    );
  } else lines.push(line('ok', `${DEVICE_STATES} is not loaded, which can lock up ARI.`));
  return lines;
}

function aboutObserving({ channels, hasLinkedId }: PbxView): string[] {
  const lines = [
    line(
      'ok',
      'Ringline subscribes to "channel:" and "bridge:", which is all channels and bridges of every technology,',
    ),
    more('Local ones too, with or without device states. ("endpoint:PJSIP" would show neither bridges nor Local'),
    more('channels.)'),
  ];
  if (hasLinkedId === true)
    lines.push(line('ok', 'Events carry CHANNEL(linkedid), by which the channels of a call are joined.'));
  else if (hasLinkedId === false) {
    lines.push(
      line(
        'do',
        'Events carry no CHANNEL(linkedid): no call can be observed. Write channelvars into ari.conf (below).',
      ),
    );
  } else {
    const why =
      channels === null ? 'Asterisk does not tell its channels' : 'no call is on now, and only a channel shows it';
    lines.push(
      line('note', `Whether events carry CHANNEL(linkedid) cannot be seen: ${why}.`),
      more('Look again during a call, or see that ari.conf says so (below).'),
    );
  }
  return lines;
}

function aboutEndpoints({ endpoints, otherEndpoints }: PbxView): string[] {
  if (endpoints === null) return [line('do', 'Asterisk does not tell its endpoints: see `pjsip show endpoints`.')];
  const phones = endpoints.filter(({ guess }) => guess.kind === 'phone').length;
  const width = Math.max(0, ...endpoints.map(({ name }) => plain(name).length));
  const lines = [
    line(
      'ok',
      `${endpoints.length} of PJSIP: ${count(phones, 'phone')}, ${count(endpoints.length - phones, 'trunk')}.`,
    ),
    more('A guess where no agent and no line says it; what is wrong here is put right by adding those.'),
    ...endpoints.map((one) => more(`${plain(one.name).padEnd(width)}  ${plain(one.state).padEnd(8)} ${guessed(one)}`)),
  ];
  for (const [technology, number] of Object.entries(otherEndpoints))
    lines.push(
      line('note', `${number} of ${plain(technology)}: their calls are seen, but no agent’s device can be one.`),
    );
  return lines;
}

function guessed({ name, context, guess: { kind, by } }: SeenEndpoint): string {
  const why = {
    name: 'by its name',
    context: `by the context of its calls, ${plain(context ?? '')}`,
    number: 'by the number it shows',
    nothing: 'nothing says that it is a trunk',
  }[by];
  const unfit = kind === 'phone' && !isDevice(name) ? '; no agent’s device can have this name' : '';
  return `${kind}, ${why}${unfit}`;
}

/** As an agent's device must be named. */
export function isDevice(name: string): boolean {
  return /^[A-Za-z0-9_.-]{1,64}$/.test(name);
}

function aboutApps({ apps }: PbxView, appName: string): string[] {
  if (apps === null) return [line('note', 'Asterisk does not tell its apps: see `ari show apps`.')];
  if (apps.length === 0) return [line('ok', 'None is registered.')];
  const lines = [line('ok', `Registered: ${apps.map(plain).join(', ')}.`)];
  if (apps.some((app) => app === appName || app === `${appName}-obs-0`))
    lines.push(
      line(
        'note',
        `A program uses ${appName} already. If it is no Ringline, or another one, give the node another \`app\`.`,
      ),
    );
  return lines;
}

function aboutLog({ modules, celEnabled, identity }: PbxView): string[] {
  const lines: string[] = [];
  if (modules === null) lines.push(line('note', 'Whether it can write a file cannot be seen: see `cel show status`.'));
  else {
    const needed = [...(hasCdrel(identity.version) ? ['res_cdrel_custom.so'] : []), 'cel_custom.so'];
    const missing = needed.filter((name) => !isRunning(modules, name));
    lines.push(
      missing.length === 0
        ? line('ok', 'The module that writes it to a file is loaded.')
        : line('note', `No file is written: ${missing.join(' and ')} not loaded.`),
    );
  }
  const setting = celEnabled?.trim().toLowerCase();
  if (setting === undefined) {
    lines.push(line('note', 'Whether cel.conf enables it cannot be seen over ARI now: see `cel show status`.'));
  } else if (['yes', 'true', 'on', 'y', 't', '1'].includes(setting)) lines.push(line('ok', 'cel.conf enables it.'));
  else lines.push(line('note', 'cel.conf does not enable it.'));
  return lines;
}

/** From 22.10 on another module reads cel_custom.conf. */
export function hasCdrel(version: string): boolean {
  const [major = 0, minor = 0] = parseVersion(version) ?? [];
  return major > 22 || (major === 22 && minor >= 10);
}

function aboutFallback(numbers: readonly SeenNumber[], channels: number | null): string[] {
  const lines = numbers.flatMap(({ did, isInFallback }) => {
    const byHand = `asterisk -rx 'dialplan show ${did}@ringline-fallback'`;
    if (isInFallback === true) {
      return [
        line('note', `${did}: the fall-back has an extension for it. Whom that rings cannot be seen over ARI. Compare`),
        more(byHand),
        more('with the agents of the line: who is not in it is not rung while Ringline is away.'),
      ];
    }
    if (isInFallback === false) {
      return [
        line(
          'do',
          `${did}: [ringline-fallback] has no extension for it. A call that Ringline gives back would end there,`,
        ),
        more('and none of the line’s agents would be rung.'),
      ];
    }
    const why =
      channels === 0
        ? 'ARI works out the dial plan for a channel only, and no call is on now'
        : 'func_dialplan.so is not loaded, or the channel that was asked has just gone';
    return [
      line('note', `${did}: whom the fall-back rings cannot be seen over ARI, nor whether it knows the number:`),
      more(`${why}.`),
      more(`By hand: ${byHand}`),
    ];
  });
  if (lines.length > 0) return lines;
  return [
    line('note', 'Give --did NUMBER for each number to hear of it. By hand:'),
    more(`asterisk -rx 'dialplan show ringline-fallback'`),
  ];
}

function section(title: string, lines: readonly string[]): string {
  return [title, ...lines, ''].join('\n');
}

function line(mark: Mark, text: string): string {
  return `  ${mark.padEnd(5)} ${text}`;
}

function more(text: string): string {
  return `        ${text}`;
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}

/** What a PBX says shall not steer the terminal that it is shown on. */
export function plain(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '?');
}
