import { differenceKinds, type Difference, type DifferenceKind } from './differences.js';
import type { Finding } from './log-auditor.js';

/** What came of one node's log. */
export type NodeAudit = {
  readonly node: { readonly id: string; readonly name: string };
  readonly files: readonly string[];
  readonly lines: number;
  readonly unreadable: number;
  /** Conversations of the log that began in the time. */
  readonly conversations: number;
  /** Of these, those that are no call of a tenant. */
  readonly notOurs: number;
  readonly findings: readonly Finding[];
  /** Set where it was repaired: what differed before. */
  readonly repaired: readonly Finding[] | null;
};

const headings = ['began', 'from', 'to', 'record', 'difference'] as const;

/** A table of all differences, and a sentence that sums them up. */
export function tellAudit(audit: NodeAudit): string {
  const { node, files, lines, unreadable, conversations, notOurs, findings, repaired } = audit;
  const told = [
    `${node.name} (${node.id}): ${count(lines, 'line')} of ${files.length === 0 ? 'no file' : files.join(', ')}`,
  ];
  if (unreadable > 0)
    told.push(`${count(unreadable, 'line')} could not be read, as those of a number with a line break in it.`);
  if (repaired !== null && repaired.length > 0) told.push('', 'Differed before the repair:', ...table(repaired));
  if (findings.length > 0) told.push('', ...table(findings));
  const differing = new Set(findings.map(({ conversation }) => conversation)).size;
  const ours = conversations - notOurs;
  told.push(
    '',
    `${count(ours, 'conversation')} of the log ${ours === 1 ? 'is a call' : 'are calls'} of yours: ${ours - differing} agree with their records, ${differing} differ${differing === 0 ? '' : ` (${tally(findings)})`}. ${notOurs} others are no calls of a tenant.`,
  );
  if (findings.some(({ isRepairable }) => isRepairable) && repaired === null)
    told.push('Run it again with --repair to have the records put right from the log.');
  if (findings.some(({ isRepairable }) => !isRepairable))
    told.push(
      'Of a call that Ringline placed and lost the record of, the log does not tell who asked for it: take it from a backup. Of two records of one conversation the log does not tell which to keep.',
    );
  return told.join('\n');
}

/** The same as a document. */
export function auditDocument({
  node,
  files,
  lines,
  unreadable,
  conversations,
  notOurs,
  findings,
  repaired,
}: NodeAudit) {
  const plain = ({ conversation, callId, differences, isRepairable }: Finding) => ({
    startedAt: new Date(conversation.startedAt).toISOString(),
    channels: conversation.channels,
    from: conversation.from,
    to: conversation.dialled,
    callId,
    differences,
    isRepairable,
  });
  return {
    node,
    files,
    lines,
    unreadable,
    conversations,
    notOurs,
    differences: findings.map(plain),
    repaired: repaired?.map(plain) ?? null,
  };
}

function table(findings: readonly Finding[]): string[] {
  const rows = [
    headings,
    ...findings.map(({ conversation: { startedAt, from, dialled }, callId, differences }) => [
      new Date(startedAt).toISOString(),
      from || 'anonymous',
      dialled,
      callId ?? 'none',
      differences.map(words).join('; '),
    ]),
  ];
  const widths = headings.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function words({ kind, field, record, log }: Difference): string {
  switch (kind) {
    case 'missing':
      return log === null ? 'missing' : `missing: ${log}`;
    case 'open':
      return `still open: ended ${log}`;
    case 'times':
      return `${field} ${record ?? 'none'}, by the log ${log ?? 'none'}`;
    case 'outcome':
      return `outcome ${record ?? 'none'}, by the log ${log ?? 'none'}`;
    case 'doubled':
      return `doubled: of the same conversation as ${log ?? 'another'}`;
  }
}

const kindWords: Readonly<Record<DifferenceKind, string>> = {
  missing: 'missing',
  open: 'still open',
  times: 'of other times',
  outcome: 'of another outcome',
  doubled: 'doubled',
};

function tally(findings: readonly Finding[]): string {
  return differenceKinds
    .map((kind) => ({
      kind,
      found: findings.filter(({ differences }) => differences.some((one) => one.kind === kind)).length,
    }))
    .filter(({ found }) => found > 0)
    .map(({ kind, found }) => `${found} ${kindWords[kind]}`)
    .join(', ');
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
