import { Injectable } from '@nestjs/common';

/** How one part of the system is. `detail` says what is wrong and what to do, in words. */
export type PartHealth = {
  /** `database`, `redis`, `pbx-node <name>` ...: what an operator looks for. */
  readonly name: string;
  readonly status: 'up' | 'degraded' | 'down';
  readonly detail?: string;
  readonly warnings?: readonly { readonly code: string; readonly detail: string }[];
};

/** Where parts say how they are; `/health/ready` names each of them. */
@Injectable()
export class HealthParts {
  readonly #probes = new Set<() => readonly PartHealth[]>();

  /** Adds a probe. It answers at once, from what the part knows, and never throws. */
  register(probe: () => readonly PartHealth[]): void {
    this.#probes.add(probe);
  }

  current(): readonly PartHealth[] {
    return [...this.#probes].flatMap((probe) => probe());
  }
}
