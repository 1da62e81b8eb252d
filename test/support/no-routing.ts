import { Routing } from '../../src/calls/routing.js';

/** A company without lines, of whose phones nothing is known. */
export class NoRouting extends Routing {
  routes(): Promise<never[]> {
    return Promise.resolve([]);
  }

  known(): Promise<never[]> {
    return Promise.resolve([]);
  }
}
