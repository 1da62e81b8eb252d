import type { CrmSimulator } from '../../../../lab/crm/crm-simulator.js';
import type { CrmAdapter, CrmCapabilities } from '../../../../src/crm/port/crm-adapter.js';
import { callChecks } from './call-checks.js';
import type { Check } from './check.js';
import { contactChecks } from './contact-checks.js';
import { declarationChecks } from './declaration-checks.js';
import { doorChecks } from './door-checks.js';
import { failureChecks } from './failure-checks.js';
import { limitChecks } from './limit-checks.js';
import { CheckFailed, kitHttp, Scene, type KitEntry } from './scene.js';

export const checks: readonly Check[] = [
  ...declarationChecks,
  ...callChecks,
  ...contactChecks,
  ...doorChecks,
  ...failureChecks,
  ...limitChecks,
];

export type KitFailure = { readonly check: string; readonly why: string };

export async function capabilitiesOf({ adapter, startSimulator }: KitEntry): Promise<CrmCapabilities> {
  const crm = await startSimulator();
  await crm.stop();
  return adapter.capabilities(adapter.settings.parse(crm.settings));
}

/** @returns why it fails; null when it holds */
export async function runCheck(check: Check, entry: KitEntry): Promise<string | null> {
  const http = kitHttp();
  let scene: Scene | null = null;
  try {
    scene = await Scene.open(entry, http);
    await check.run(scene);
    return null;
  } catch (error) {
    return error instanceof CheckFailed ? error.message : String(error);
  } finally {
    await scene?.crm.stop();
    await http.close();
  }
}

/** Every check that the adapter's capabilities call for, each beside a fresh simulator. */
export async function runKit(
  adapter: CrmAdapter,
  startSimulator: () => Promise<CrmSimulator>,
  more: Omit<KitEntry, 'adapter' | 'startSimulator'> & { readonly stopAtFirst?: boolean } = {},
): Promise<readonly KitFailure[]> {
  const { stopAtFirst = false, ...rest } = more;
  const entry: KitEntry = { adapter, startSimulator, ...rest };
  const capabilities = await capabilitiesOf(entry);
  const failures: KitFailure[] = [];
  for (const check of checks.filter(({ applies }) => applies(capabilities))) {
    const why = await runCheck(check, entry);
    if (why !== null) failures.push({ check: check.name, why });
    if (stopAtFirst && failures.length > 0) break;
  }
  return failures;
}
