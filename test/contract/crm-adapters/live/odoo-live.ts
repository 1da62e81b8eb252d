import { z } from 'zod';
import type { CrmSimulator, SimulatedCall } from '../../../../lab/crm/crm-simulator.js';
import { GOES_ON } from '../../../../src/crm/adapters/odoo/odoo-notes.js';
import { wordsOf } from '../../../../src/crm/adapters/odoo/simulator.test-support.js';
import { noneOfThis, realServer } from './real-server.js';

export type OdooLiveSettings = {
  readonly url: string;
  readonly database: string;
  readonly login: string;
  readonly apiKey: string;
};

const TIMEOUT_MS = 15_000;
const MESSAGE = 'mail.message';
/** A link to another row: its id and its name; false where there is none. */
const linked = z.union([z.tuple([z.int(), z.string()]), z.literal(false)]);
const text = z.union([z.string(), z.literal(false)]).transform((value) => value || '');
const messageShape = z.object({
  id: z.int(),
  message_id: z.string(),
  subject: text,
  body: text,
  date: z.string(),
  author_id: linked,
  res_id: z.int(),
  attachment_ids: z.array(z.int()),
});
type Message = z.output<typeof messageShape>;
const answerShape = z.object({ result: z.unknown(), error: z.object({ message: z.string() }).optional() });

/**
 * A real Odoo up to 21 whose calls are notes in the chatter, read over JSON-RPC and not by the adapter. It has no faults to order,
 * and users that are there.
 */
export function liveOdoo(settings: OdooLiveSettings, users: readonly string[]): CrmSimulator {
  const { url, database, login, apiKey } = settings;
  const left = [...users];
  let uid: number | undefined;
  let ownPartner: number | undefined;
  let held: readonly { readonly message: Message; readonly call: SimulatedCall }[] = [];

  const ask = async <Value>(service: string, method: string, args: readonly unknown[], shape: z.ZodType<Value>) => {
    const answer = await fetch(`${url.replace(/\/+$/, '')}/jsonrpc`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', method: 'call', id: 1, params: { service, method, args } }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const { result, error } = answerShape.parse(await answer.json());
    if (error !== undefined) throw new Error(`${service}.${method} answered ${error.message}`);
    return shape.parse(result);
  };
  const run = async <Value>(model: string, method: string, args: readonly unknown[], shape: z.ZodType<Value>) => {
    uid ??= await ask('common', 'authenticate', [database, login, apiKey, {}], z.int());
    return ask('object', 'execute_kw', [database, uid, apiKey, model, method, args, {}], shape);
  };
  const read = <Value>(
    model: string,
    domain: readonly unknown[],
    row: z.ZodObject<{ id: z.ZodInt }> & z.ZodType<Value>,
  ) => run(model, 'search_read', [domain, Object.keys(row.shape)], z.array(row));

  const partnerOf = async (userId: number | undefined): Promise<number> => {
    const [row] = await read('res.users', [['id', '=', userId]], z.object({ id: z.int(), partner_id: linked }));
    return row === undefined || row.partner_id === false ? -1 : row.partner_id[0];
  };

  const neutral = async (message: Message, ourId: string): Promise<SimulatedCall> => {
    const { message_id, subject, body, date, author_id, res_id, attachment_ids } = message;
    const author = author_id === false ? -1 : author_id[0];
    const [user] = await read('res.users', [['partner_id', '=', author]], z.object({ id: z.int() }));
    ownPartner ??= await partnerOf(uid);
    const [file] = await read(
      'ir.attachment',
      [['id', 'in', attachment_ids]],
      z.object({ id: z.int(), datas: z.string() }),
    );
    const words = wordsOf(body);
    const link = /^» Recording: (.*)$/m.exec(words)?.[1];
    return {
      id: message_id.slice(1).split('@')[0] ?? '',
      externalId: ourId,
      direction: null,
      number: null,
      seconds: null,
      wasAnswered: null,
      isOpen: words.includes(GOES_ON),
      startedAt: new Date(`${date.replace(' ', 'T')}Z`),
      ownerId: user === undefined ? null : String(user.id),
      // Calls of nobody known stand with the user whom Ringline acts as.
      contactIds: res_id === ownPartner ? [] : [String(res_id)],
      text: `${subject}\n${words}`,
      recording:
        file !== undefined
          ? { bytes: Buffer.from(file.datas, 'base64').length }
          : link === undefined
            ? null
            : { url: link },
    };
  };

  return {
    ...realServer,
    settings: { ...settings, calls: 'chatter' },
    addUser: () => left.shift() ?? noneOfThis(),
    calls: () => held.map(({ call }) => call),
    refresh: async (callIds) => {
      const now: { message: Message; call: SimulatedCall }[] = [];
      for (const ourId of callIds) {
        for (const message of await read(MESSAGE, [['message_id', '=', `<ringline-${ourId}@ringline>`]], messageShape))
          now.push({ message, call: await neutral(message, ourId) });
      }
      held = now;
    },
    // What a check made is not left behind; files of a note go with it.
    stop: async () => {
      for (const { message } of held) await run(MESSAGE, 'unlink', [[message.id]], z.unknown());
    },
  };
}
