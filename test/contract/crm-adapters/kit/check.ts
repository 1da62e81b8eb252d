import type { CrmCapabilities } from '../../../../src/crm/port/crm-adapter.js';
import type { Scene } from './scene.js';

export type Check = {
  /** A sentence. */
  readonly name: string;
  readonly applies: (capabilities: CrmCapabilities) => boolean;
  /** @throws {CheckFailed} */
  readonly run: (scene: Scene) => Promise<void>;
};

export const always = (): boolean => true;
