/** Odoo's models and its ORM, as far as a telephony adapter meets them. */
export type Value = string | number | boolean | null | readonly number[];
export type Row = { id: number; [field: string]: Value };
export type FieldDefinition = {
  readonly type:
    | 'char'
    | 'text'
    | 'html'
    | 'integer'
    | 'float'
    | 'boolean'
    | 'datetime'
    | 'date'
    | 'selection'
    | 'many2one'
    | 'many2many';
  readonly required?: boolean;
  readonly of?: string;
  readonly options?: readonly string[];
  readonly readonly?: boolean;
};
export type Model = Readonly<Record<string, FieldDefinition>>;

/** An exception of Odoo's, by its Python name. */
export class OdooException extends Error {
  constructor(
    readonly exception: string,
    message: string,
  ) {
    super(message);
  }
}

const char: FieldDefinition = { type: 'char' };
const text: FieldDefinition = { type: 'text' };
const link = (of: string, required = false): FieldDefinition => ({ type: 'many2one', of, required });
const datetime: FieldDefinition = { type: 'datetime' };
const every: Model = { id: { type: 'integer', readonly: true }, write_date: { ...datetime, readonly: true } };

export type ModelOptions = {
  readonly version: number;
  readonly hasPhonecall: boolean;
  readonly hasIdField: boolean;
  readonly hasMobileSearch: boolean;
};

export function modelsOf({
  version,
  hasPhonecall,
  hasIdField,
  hasMobileSearch,
}: ModelOptions): Readonly<Record<string, Model>> {
  const numbers: Model = {
    phone: char,
    // Odoo 19 has no second number any more.
    ...(version < 19 && { mobile: char }),
    phone_sanitized: { ...char, readonly: true },
    ...(hasMobileSearch && { phone_mobile_search: char }),
  };
  return {
    'res.users': {
      ...every,
      name: char,
      login: char,
      email: char,
      active: { type: 'boolean' },
      share: { type: 'boolean' },
      partner_id: link('res.partner'),
      x_extension: char,
    },
    'res.partner': {
      ...every,
      ...numbers,
      name: { ...char, required: true },
      is_company: { type: 'boolean' },
      parent_id: link('res.partner'),
      commercial_company_name: char,
      user_id: link('res.users'),
      comment: { type: 'html' },
      active: { type: 'boolean' },
    },
    'crm.lead': {
      ...every,
      ...numbers,
      name: { ...char, required: true },
      contact_name: char,
      partner_name: char,
      partner_id: link('res.partner'),
      user_id: link('res.users'),
      description: { type: 'html' },
      active: { type: 'boolean' },
    },
    'mail.message': {
      ...every,
      model: char,
      res_id: { type: 'integer' },
      message_id: char,
      message_type: { type: 'selection', options: ['email', 'comment', 'notification', 'user_notification'] },
      subtype_id: link('mail.message.subtype'),
      is_internal: { type: 'boolean' },
      subject: char,
      body: { type: 'html' },
      date: datetime,
      author_id: link('res.partner'),
      attachment_ids: { type: 'many2many', of: 'ir.attachment' },
    },
    'mail.message.subtype': {
      ...every,
      name: char,
      internal: { type: 'boolean' },
      res_model: char,
      sequence: { type: 'integer' },
    },
    'mail.activity': {
      ...every,
      res_model: { ...char, readonly: true },
      res_id: { type: 'integer', required: true },
      activity_type_id: link('mail.activity.type'),
      summary: char,
      note: { type: 'html' },
      date_deadline: { type: 'date', required: true },
      user_id: link('res.users', true),
    },
    'mail.activity.type': { ...every, name: char, category: char },
    'ir.attachment': {
      ...every,
      name: { ...char, required: true },
      mimetype: char,
      datas: text,
      description: text,
      res_model: char,
      res_id: { type: 'integer' },
    },
    ...(hasPhonecall && {
      'crm.phonecall': {
        ...every,
        name: { ...char, required: true },
        state: { type: 'selection', options: ['open', 'cancel', 'pending', 'done'] },
        date: datetime,
        duration: { type: 'float' },
        direction: { type: 'selection', options: ['in', 'out'] },
        partner_id: link('res.partner'),
        opportunity_id: link('crm.lead'),
        partner_phone: char,
        partner_mobile: char,
        user_id: link('res.users'),
        description: text,
        ...(hasIdField && { x_ringline_id: char }),
      },
    }),
  };
}

/** What a model refuses is an exception with the words of Odoo. */
export function checkValues(
  name: string,
  model: Model,
  values: Readonly<Record<string, unknown>>,
  exists: (model: string, id: number) => boolean,
): void {
  for (const [field, value] of Object.entries(values)) {
    const definition = model[field];
    if (definition === undefined)
      throw new OdooException('builtins.ValueError', `Invalid field '${field}' on model '${name}'`);
    if (value === false || value === null) continue;
    if (typeof value === 'string' && value.includes('\0')) {
      throw new OdooException('builtins.ValueError', 'A string literal cannot contain NUL (0x00) characters.');
    }
    checkValue(name, field, definition, value, exists);
  }
}

function checkValue(
  name: string,
  field: string,
  { type, options, of }: FieldDefinition,
  value: unknown,
  exists: (model: string, id: number) => boolean,
): void {
  const written = JSON.stringify(value);
  switch (type) {
    case 'selection':
      if (typeof value !== 'string' || options?.includes(value) !== true) {
        throw new OdooException('builtins.ValueError', `Wrong value for ${name}.${field}: ${written}`);
      }
      return;
    case 'datetime':
    case 'date': {
      const pattern = type === 'date' ? /^\d{4}-\d\d-\d\d$/ : /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/;
      if (typeof value !== 'string' || !pattern.test(value)) {
        throw new OdooException(
          'builtins.ValueError',
          `time data ${written} does not match format '%Y-%m-%d %H:%M:%S'`,
        );
      }
      return;
    }
    case 'many2one':
      if (typeof value !== 'number' || !Number.isInteger(value)) {
        throw new OdooException('builtins.ValueError', `Wrong value for ${name}.${field}: ${written}`);
      }
      if (!exists(of ?? '', value)) {
        throw new OdooException(
          'psycopg2.errors.ForeignKeyViolation',
          `insert or update on table "${name.replaceAll('.', '_')}" violates foreign key constraint "${field}_fkey"`,
        );
      }
      return;
    case 'integer':
    case 'float':
      if (typeof value !== 'number')
        throw new OdooException('builtins.ValueError', `could not convert string to float: ${written}`);
      return;
    case 'char':
    case 'text':
    case 'html':
      if (typeof value !== 'string')
        throw new OdooException('builtins.TypeError', `expected str for ${field}, got ${written}`);
      return;
    case 'boolean':
    case 'many2many':
      return;
  }
}

type Leaf = readonly [string, string, unknown];

/** A domain in Polish notation, its parts joined by “and”. */
export function matches(name: string, model: Model, domain: unknown, row: Row): boolean {
  if (!Array.isArray(domain))
    throw new OdooException('builtins.ValueError', "Domains to normalize must have a 'domain' form");
  const parts = [...(domain as readonly (string | Leaf)[])];
  const take = (): boolean => {
    const part = parts.shift();
    if (part === undefined) throw new OdooException('builtins.ValueError', 'Domain is syntactically not correct');
    if (part === '!') return !take();
    if (part === '|' || part === '&') {
      const [a, b] = [take(), take()];
      return part === '|' ? a || b : a && b;
    }
    return holds(name, model, part as Leaf, row);
  };
  let all = true;
  while (parts.length > 0) all = take() && all;
  return all;
}

function holds(name: string, model: Model, [field, operator, value]: Leaf, row: Row): boolean {
  if (model[field] === undefined) {
    throw new OdooException(
      'builtins.ValueError',
      `Invalid field ${name}.${field} in leaf ('${field}', '${operator}')`,
    );
  }
  if (field === 'phone_mobile_search') return hasMobile(row, String(value));
  const stored = row[field] ?? false;
  const empty = (one: unknown): boolean => one === false || one === null || one === undefined;
  switch (operator) {
    case '=':
      return stored === value || (empty(stored) && empty(value));
    case '!=':
      return stored !== value;
    case '>':
    case '>=':
    case '<':
    case '<=': {
      if (empty(stored)) return false;
      const [a, b] = [stored as number, value as number];
      return operator === '>' ? a > b : operator === '>=' ? a >= b : operator === '<' ? a < b : a <= b;
    }
    case 'in':
      return (value as readonly unknown[]).includes(stored);
    case 'not in':
      return !(value as readonly unknown[]).includes(stored);
    case 'ilike':
      return typeof stored === 'string' && like(`%${String(value)}%`, stored, true);
    case '=ilike':
    case '=like':
      return typeof stored === 'string' && like(String(value), stored, operator === '=ilike');
    default:
      throw new OdooException('builtins.ValueError', `Invalid operator ${operator}`);
  }
}

function like(pattern: string, stored: string, ignoresCase: boolean): boolean {
  const source = [...pattern]
    .map((one) => (one === '%' ? '[^]*' : one === '_' ? '[^]' : one.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')))
    .join('');
  return new RegExp(`^${source}$`, ignoresCase ? 'iu' : 'u').test(stored);
}

/** Blanks, dots, slashes, brackets and hyphens do not count, and `+` is `00`. */
function hasMobile({ phone, mobile }: Row, asked: string): boolean {
  if (asked.length < 3) {
    throw new OdooException(
      'odoo.exceptions.UserError',
      'Please enter at least 3 characters when searching a Phone/Mobile number.',
    );
  }
  const bare = (number: string): string => number.replace(/[\s\\./()-]/g, '');
  const international = /^(\+|00)/.exec(asked);
  const meant =
    international === null
      ? [bare(asked)]
      : ['00', '+'].map((sign) => `${sign}${bare(asked.slice(international[0].length))}`);
  return [phone, mobile].some((stored) => typeof stored === 'string' && meant.includes(bare(stored)));
}

/** What the sanitizer keeps of HTML that matters here: no scripts, no handlers, no attributes of data. */
export function sanitized(html: string): string {
  return html
    .replace(/<script\b[^]*?<\/script>/gi, '')
    .replace(/\s(on\w+|data-[\w-]+)="[^"]*"/gi, '')
    .replace(/\shref="(?!https?:)[^"]*"/gi, '');
}

/** For a company in Germany; the mobile number is the one where there are two. */
export function sanitizedNumber({ phone, mobile }: Row): string | null {
  for (const stored of [mobile, phone]) {
    if (typeof stored !== 'string') continue;
    const bare = stored.replace(/[^\d+]/g, '').replace(/^00/, '+');
    if (/^\+[1-9]\d{6,14}$/.test(bare)) return bare;
    if (/^0[1-9]\d{5,12}$/.test(bare)) return `+49${bare.slice(1)}`;
  }
  return null;
}
