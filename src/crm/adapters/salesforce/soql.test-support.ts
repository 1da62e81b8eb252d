/** As much of SOQL as the simulator answers: one object, conditions with AND, OR and parentheses, order and limit. */
export type Row = Readonly<Record<string, unknown>>;
export type Query = {
  readonly fields: readonly string[];
  readonly from: string;
  readonly fits: (row: Row) => boolean;
  readonly asked: readonly string[];
  readonly orderBy: readonly { readonly field: string; readonly isDescending: boolean }[];
  readonly limit: number;
};

export class Malformed extends Error {}

const token = /\s*('(?:[^'\\]|\\.)*'|\d{4}-\d\d-\d\dT[\d:.]+Z|\(|\)|>=|<=|!=|=|>|<|,|[\w.]+)/y;

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < text.trimEnd().length) {
    const match = token.exec(text);
    if (match?.[1] === undefined) throw new Malformed('unexpected token');
    tokens.push(match[1]);
  }
  return tokens;
}

export function parseSoql(text: string): Query {
  const tokens = tokensOf(text);
  const query = clauses(tokens, () => {
    expectWord(tokens, 'SELECT');
    const fields = list(tokens, 'FROM');
    return { fields, from: tokens.shift() ?? '' };
  });
  if (tokens.length > 0) throw new Malformed(`unexpected token: '${tokens[0] ?? ''}'`);
  return query;
}

/** What SOSL returns of one object: `Contact(Id, Name WHERE ... LIMIT 20)`. */
export function parseReturning(text: string): Query[] {
  const tokens = tokensOf(text);
  const queries: Query[] = [];
  while (tokens.length > 0) {
    const from = tokens.shift() ?? '';
    expectWord(tokens, '(');
    queries.push(clauses(tokens, () => ({ fields: list(tokens, 'WHERE', 'ORDER', 'LIMIT', ')'), from }), true));
    expectWord(tokens, ')');
    if (tokens[0] === ',') tokens.shift();
  }
  return queries;
}

function clauses(
  tokens: string[],
  head: () => { readonly fields: readonly string[]; readonly from: string },
  isSosl = false,
): Query {
  const { fields, from } = head();
  if (!isSosl && tokens[0]?.toUpperCase() === 'FROM') tokens.shift();
  const asked: string[] = [];
  let fits: Query['fits'] = () => true;
  if (tokens[0]?.toUpperCase() === 'WHERE') {
    tokens.shift();
    fits = either(tokens, asked);
  }
  const orderBy: { field: string; isDescending: boolean }[] = [];
  if (tokens[0]?.toUpperCase() === 'ORDER') {
    tokens.shift();
    expectWord(tokens, 'BY');
    do {
      if (tokens[0] === ',') tokens.shift();
      const field = tokens.shift() ?? '';
      const isDescending = tokens[0]?.toUpperCase() === 'DESC';
      if (isDescending || tokens[0]?.toUpperCase() === 'ASC') tokens.shift();
      orderBy.push({ field, isDescending });
    } while (tokens[0] === ',');
  }
  let limit = isSosl ? 2000 : Number.POSITIVE_INFINITY;
  if (tokens[0]?.toUpperCase() === 'LIMIT') {
    tokens.shift();
    limit = Number(tokens.shift());
  }
  return { fields, from, fits, asked, orderBy, limit };
}

function list(tokens: string[], ...ends: readonly string[]): string[] {
  const fields: string[] = [];
  while (tokens.length > 0 && !ends.includes(tokens[0]?.toUpperCase() ?? '')) {
    const name = tokens.shift() ?? '';
    if (name !== ',') fields.push(name);
  }
  if (ends.includes('FROM')) expectWord(tokens, 'FROM');
  if (fields.length === 0) throw new Malformed('no fields');
  return fields;
}

function expectWord(tokens: string[], word: string): void {
  if (tokens.shift()?.toUpperCase() !== word) throw new Malformed(`expecting '${word}'`);
}

function either(tokens: string[], asked: string[]): Query['fits'] {
  const parts = [both(tokens, asked)];
  while (tokens[0]?.toUpperCase() === 'OR') {
    tokens.shift();
    parts.push(both(tokens, asked));
  }
  return (row) => parts.some((fits) => fits(row));
}

function both(tokens: string[], asked: string[]): Query['fits'] {
  const parts = [one(tokens, asked)];
  while (tokens[0]?.toUpperCase() === 'AND') {
    tokens.shift();
    parts.push(one(tokens, asked));
  }
  return (row) => parts.every((fits) => fits(row));
}

function one(tokens: string[], asked: string[]): Query['fits'] {
  if (tokens[0] === '(') {
    tokens.shift();
    const inner = either(tokens, asked);
    expectWord(tokens, ')');
    return inner;
  }
  const field = tokens.shift() ?? '';
  const operator = tokens.shift() ?? '';
  const wanted = valueOf(tokens.shift() ?? '');
  asked.push(field);
  return (row) => compare(comparable(row[field]), operator, wanted);
}

function valueOf(literal: string): string | number | boolean {
  if (literal.startsWith("'")) return literal.slice(1, -1).replace(/\\(.)/g, '$1');
  if (/^\d{4}-/.test(literal)) return Date.parse(literal);
  if (/^(true|false)$/i.test(literal)) return literal.toLowerCase() === 'true';
  if (/^\d+$/.test(literal)) return Number(literal);
  throw new Malformed(`unexpected token: '${literal}'`);
}

function comparable(value: unknown): unknown {
  return typeof value === 'string' && /^\d{4}-\d\d-\d\dT.*\+0000$/.test(value)
    ? Date.parse(value.replace(/\+0000$/, 'Z'))
    : value;
}

function compare(value: unknown, operator: string, wanted: string | number | boolean): boolean {
  const [left, right] = [value as string | number, wanted as string | number];
  switch (operator) {
    case '=':
      return value === wanted;
    case '!=':
      return value !== wanted;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    default:
      throw new Malformed(`unexpected operator ${operator}`);
  }
}
