import { crmSimulators } from '../crm/simulators.js';

export type DemoOptions = {
  /** Ends by itself after the calls that are checked. */
  readonly once: boolean;
  /** The CRM beside it; null: none. */
  readonly crm: string | null;
};

/** @throws {Error} for what it does not know, in words for whoever typed it */
export function readOptions(args: readonly string[]): DemoOptions {
  let once = false;
  let crm: string | null = null;
  for (let index = 0; index < args.length; index += 1) {
    const [name, ownValue] = (args[index] ?? '').split('=', 2);
    if (name === '--once') once = true;
    else if (name === '--crm') crm = crmNamed(ownValue ?? args[(index += 1)]);
    else throw new Error(`The demo knows no ${args[index]}. It takes --once and --crm NAME.`);
  }
  return { once, crm };
}

function crmNamed(name: string | undefined): string {
  const names = Object.keys(crmSimulators).join(', ');
  if (name === undefined || name.startsWith('-')) throw new Error(`--crm wants the name of a CRM: ${names}.`);
  if (!Object.hasOwn(crmSimulators, name)) throw new Error(`There is no CRM ${name}. Those there are: ${names}.`);
  return name;
}
