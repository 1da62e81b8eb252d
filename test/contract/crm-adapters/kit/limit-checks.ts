import { LimitState } from '../../../../src/crm/rate/limit-state.js';
import { RateGates } from '../../../../src/crm/rate/rate-gates.js';
import { always, type Check } from './check.js';
import { ensure, valueOf, type Scene } from './scene.js';
import { sampleCall } from './sample-calls.js';

/** More at once than most vendors take. */
const CALLS = 80;

/** The engine's own gates, for one process. */
function gateOf({ capabilities }: Scene) {
  const state = new LimitState();
  const gates = new RateGates({
    take: (_connection, bounds, cost, lease) =>
      Promise.resolve({ ...state.take(bounds, Date.now(), cost, lease), at: null }),
    leave: (_connection, bounds, cost, lease) => state.leave(bounds, Date.now(), cost, lease),
    close: (_connection, ms) => Promise.resolve(state.close(Date.now(), ms)),
  });
  return gates.gateOf('kit', capabilities.limits, 'close');
}

export const limitChecks: readonly Check[] = [
  {
    name: 'asks no more often than the CRM allows, however many calls end at once',
    applies: always,
    run: async (scene) => {
      const gate = gateOf(scene);
      // What is asked for once, before many ask for it at the same time.
      valueOf(await scene.session({ gate }).test(), 'test');
      const ended = Array.from({ length: CALLS }, () => sampleCall({ userId: scene.anna }));
      const verdicts = await Promise.all(ended.map((call) => scene.session({ gate }).closeCall(null, call)));
      const wrong = verdicts.find(({ verdict }) => verdict !== 'done' && verdict !== 'rate-limited');
      ensure(wrong === undefined, `closeCall gave ${JSON.stringify(wrong)}`);
      ensure(scene.crm.violations === 0, `it was asked too often ${scene.crm.violations} times`);
      ensure(scene.crm.calls().length > 0, 'no call came through');
    },
  },
];
