import { cutOff, isInOwnNetwork, joinAgain } from '../own-network.js';
import type { Lab } from '../start-lab.js';

/** The line between Ringline and Asterisk. */
export type Line = {
  /** Where Ringline reaches Asterisk. */
  readonly ariUrl: string;
  /** How it is cut. */
  readonly how: 'packets are lost in a network of its own' | 'a proxy passes nothing';
  /** Silently: nobody is told, and what is sent is lost or comes late. */
  cut(): Promise<void>;
  heal(): Promise<void>;
};

/** Real packets are lost where the kernel lets us have a network of our own; elsewhere a proxy stands in. */
export async function lineTo(lab: Lab): Promise<Line> {
  if (isInOwnNetwork()) {
    const { ariUrl } = lab.asterisk;
    const port = Number(new URL(ariUrl).port);
    return {
      ariUrl,
      how: 'packets are lost in a network of its own',
      cut: () => cutOff(port),
      heal: () => joinAgain(port),
    };
  }
  const proxy = await lab.proxy(lab.asterisk.ariUrl);
  return {
    ariUrl: proxy.url,
    how: 'a proxy passes nothing',
    cut: () => Promise.resolve(proxy.set({ blackHole: 'both' })),
    heal: () => Promise.resolve(proxy.set()),
  };
}
