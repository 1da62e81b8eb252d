/** One SIP message as SIPp logged it. */
export interface SipMessage {
  /** Milliseconds since 1970, with a fraction. */
  readonly at: number;
  readonly direction: 'sent' | 'received';
  /** "INVITE sip:... SIP/2.0" or "SIP/2.0 180 Ringing". */
  readonly firstLine: string;
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>;
  readonly body: string;
}

/** The life of one call as one phone saw it. All times are milliseconds since 1970. */
export interface SipCall {
  readonly callId: string;
  readonly messages: readonly SipMessage[];
  readonly inviteAt: number;
  /** Retransmissions of the INVITE are counted too. */
  readonly invites: number;
  /** User part of the request's address: an agent's name, or the number called. */
  readonly calledUser: string;
  /** Whole From header of the INVITE. */
  readonly from: string;
  /** User part of From: the caller's number. */
  readonly fromUser: string;
  /** 180 */
  readonly ringingAt: number | undefined;
  /** 183 */
  readonly earlyMediaAt: number | undefined;
  /** 200 to the INVITE */
  readonly answeredAt: number | undefined;
  readonly ackAt: number | undefined;
  readonly cancelAt: number | undefined;
  readonly byeAt: number | undefined;
  /** Who said BYE, from where this phone stands. */
  readonly byeBy: 'us' | 'them' | undefined;
  /** Last final status of the INVITE, for example 486. */
  readonly finalStatus: number | undefined;
  readonly finalAt: number | undefined;
  /** From the 200 to the BYE; undefined while it lasts. */
  readonly talkMs: number | undefined;
  /** The first key that was pressed, where an INFO tells it. */
  readonly pressed: { readonly key: string; readonly at: number } | undefined;
}

const SEPARATOR = /^-{40,} (\d{4}-\d\d-\d\d)[T \t]+(\d\d:\d\d:\d\d\.\d+)/;

/** SIPp's message log (written with TZ=UTC). What is not whole yet is left out. */
export function parseMessages(text: string): SipMessage[] {
  const messages: SipMessage[] = [];
  let at = Number.NaN;
  let lines: string[] = [];
  const close = () => {
    const message = messageOf(at, lines);
    if (message) messages.push(message);
    lines = [];
  };
  for (const line of text.split(/\r?\n/)) {
    const separator = SEPARATOR.exec(line);
    if (separator) {
      close();
      const [seconds, fraction] = String(separator[2]).split('.');
      at = Date.parse(`${separator[1]}T${seconds}Z`) + Number(`0.${fraction}`) * 1000;
    } else {
      lines.push(line);
    }
  }
  close();
  return messages;
}

function messageOf(at: number, lines: readonly string[]): SipMessage | undefined {
  const title = lines.findIndex((line) => /message (sent|received)/.test(line));
  if (title < 0) return undefined;
  const start = lines.findIndex((line, index) => index > title && line.trim() !== '');
  if (start < 0) return undefined;
  const blank = lines.findIndex((line, index) => index > start && line === '');
  if (blank < 0) return undefined;
  return {
    at,
    direction: /message sent/.test(lines[title] ?? '') ? 'sent' : 'received',
    firstLine: lines[start] ?? '',
    headers: lines.slice(start + 1, blank).map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()] as const;
    }),
    body: lines
      .slice(blank + 1)
      .join('\n')
      .trim(),
  };
}

export function header(message: SipMessage, name: string): string | undefined {
  return message.headers.find(([known]) => known.toLowerCase() === name.toLowerCase())?.[1];
}

/** Puts messages together by Call-ID, in the order in which the calls began. */
export function sipCalls(messages: readonly SipMessage[]): SipCall[] {
  const byCall = new Map<string, SipMessage[]>();
  for (const message of messages) {
    const callId = header(message, 'Call-ID');
    if (callId === undefined) continue;
    const known = byCall.get(callId);
    if (known) known.push(message);
    else byCall.set(callId, [message]);
  }
  return [...byCall.entries()].flatMap(([callId, ofCall]) => callOf(callId, ofCall) ?? []);
}

function callOf(callId: string, messages: readonly SipMessage[]): SipCall | undefined {
  // A request within the dialog carries the other side's tag: a re-INVITE is no further attempt to call.
  const invites = messages.filter(
    (message) => message.firstLine.startsWith('INVITE ') && !/;\s*tag=/i.test(header(message, 'To') ?? ''),
  );
  const invite = invites[0];
  if (!invite) return undefined;
  const request = (method: string) => messages.find((message) => message.firstLine.startsWith(`${method} `));
  const sequence = header(invite, 'CSeq');
  const answers = messages.filter(
    (message) =>
      message.direction !== invite.direction &&
      message.firstLine.startsWith('SIP/2.0 ') &&
      header(message, 'CSeq') === sequence,
  );
  const answer = (status: number) => answers.find((message) => statusOf(message) === status);
  const final = answers.findLast((message) => (statusOf(message) ?? 0) >= 200);
  const answered = answer(200);
  const bye = request('BYE');
  const info = request('INFO');
  const key = /^Signal=\s*(.)/m.exec(info?.body ?? '')?.[1];
  const from = header(invite, 'From') ?? '';
  return {
    callId,
    messages,
    inviteAt: invite.at,
    invites: invites.length,
    calledUser: /^INVITE sips?:(?:([^@;>\s]*)@)?/.exec(invite.firstLine)?.[1] ?? '',
    from,
    fromUser: /sips?:([^@;>]*)@/.exec(from)?.[1] ?? '',
    ringingAt: answer(180)?.at,
    earlyMediaAt: answer(183)?.at,
    answeredAt: answered?.at,
    ackAt: request('ACK')?.at,
    cancelAt: request('CANCEL')?.at,
    byeAt: bye?.at,
    byeBy: bye && (bye.direction === 'sent' ? 'us' : 'them'),
    finalStatus: final && statusOf(final),
    finalAt: final?.at,
    talkMs: answered && bye ? bye.at - answered.at : undefined,
    pressed: info && key !== undefined ? { key, at: info.at } : undefined,
  };
}

/** The final answer to the INVITE with which a call began, or to the last one within it. */
export function finalAnswerTo({ messages }: SipCall, which: 'first' | 'last'): SipMessage | undefined {
  const invites = messages.filter(({ firstLine }) => firstLine.startsWith('INVITE '));
  const invite = which === 'first' ? invites[0] : invites.at(-1);
  return messages.findLast(
    (message) =>
      (statusOf(message) ?? 0) >= 200 &&
      message.direction !== invite?.direction &&
      header(message, 'CSeq') === (invite && header(invite, 'CSeq')),
  );
}

export function statusOf(message: SipMessage): number | undefined {
  const status = /^SIP\/2\.0 (\d{3})/.exec(message.firstLine)?.[1];
  return status === undefined ? undefined : Number(status);
}
