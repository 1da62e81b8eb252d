import type { Request } from 'express';

type Layer = {
  readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> };
  match(path: string): boolean;
};

/** The methods that routes of this path take; empty when no route has the path. */
export function methodsOfPath(request: Request): readonly string[] {
  const { stack } = request.app.router as unknown as { stack: readonly Layer[] };
  const methods = stack
    .filter((layer) => layer.route && layer.route.path !== '*' && layer.match(request.path))
    .flatMap((layer) => Object.keys(layer.route?.methods ?? {}));
  return [...new Set(methods)]
    .filter((method) => !method.startsWith('_'))
    .map((method) => method.toUpperCase())
    .sort();
}
