/**
 * How often a vendor may be asked. `lane`: only requests in it count, else all do. A request counts as its `cost`.
 * - `bucket`: leaks `perSecond`, overflows at `capacity`.
 * - `window`: so many in any `seconds`.
 * - `daily`: until midnight UTC.
 * - `concurrent`: open at a time.
 */
export type Limit = { readonly lane?: string } & (
  | { readonly kind: 'bucket'; readonly capacity: number; readonly perSecond: number }
  | { readonly kind: 'window'; readonly requests: number; readonly seconds: number }
  | { readonly kind: 'daily'; readonly budget: number }
  | { readonly kind: 'concurrent'; readonly most: number }
);
