/** What a request is for: the first goes first where the vendor's limits are short. */
export const purposes = ['pop', 'open', 'close', 'recording', 'backfill'] as const;
export type Purpose = (typeof purposes)[number];
