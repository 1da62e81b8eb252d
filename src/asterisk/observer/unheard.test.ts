import { describe, expect, it } from 'vitest';
import type { AriChannel } from '../ari-frame.js';
import type { Snapshot } from '../reconcile.js';
import { unheardCalls } from './unheard.js';

const start = Date.parse('2026-03-01T10:00:00.000Z');
const ariTime = (after: number): string => new Date(start + after).toISOString().replace('Z', '+0000');
const channel = (id: string, linkedId: string, more: Partial<AriChannel>): AriChannel => ({
  id,
  state: 'Up',
  creationtime: ariTime(0),
  channelvars: { 'CHANNEL(linkedid)': linkedId },
  ...more,
});
const customer = channel('1.1', '1.1', {
  name: 'PJSIP/trunk-00000001',
  caller: { number: '+491713920001' },
  dialplan: { app_name: 'Dial', context: 'extensions', exten: '1001' },
});
const anna = channel('1.2', '1.1', {
  name: 'PJSIP/1001-00000002',
  creationtime: ariTime(1_000),
  caller: { number: '1001' },
  dialplan: { app_name: 'AppDial' },
});
const snapshot = (...channels: readonly AriChannel[]): Snapshot => ({
  boot: 'boot',
  app: 'ringline',
  takenAt: start + 9_000,
  channels,
  bridges: [{ id: 'room', channels: ['1.1', '1.2'], creationtime: ariTime(4_000), bridge_type: 'mixing' }],
});
const nobody = (): boolean => false;

describe('calls of the dial plan that a snapshot shows first', () => {
  it('are told with who takes part, answered when they met at the latest', () => {
    const [came, rung] = unheardCalls(snapshot(customer, anna), nobody);
    const kinds = (of: typeof came): unknown => of?.facts.map(({ kind, at, source }) => [kind, at - start, source]);
    expect(kinds(came)).toEqual([
      ['entered', 9_000, 'reconcile'],
      ['created', 0, 'reconcile'],
      ['answered', 4_000, 'estimate'],
      ['gap', 4_000, 'ringline'],
      ['joined', 4_000, 'reconcile'],
    ]);
    expect(kinds(rung)).toEqual([
      ['created', 1_000, 'reconcile'],
      ['answered', 4_000, 'estimate'],
      ['gap', 4_000, 'ringline'],
      ['joined', 4_000, 'reconcile'],
    ]);
    expect(came?.sighting).toMatchObject({
      linkedId: '1.1',
      endpoint: 'trunk',
      entered: { dialled: '1001' },
      called: null,
    });
    expect(rung?.sighting).toMatchObject({ linkedId: '1.1', endpoint: '1001', entered: null, called: '1001' });
  });

  it('have a beginning though the leg with which they began is gone', () => {
    const found = unheardCalls(snapshot(anna), nobody);
    expect(found.map(({ leg }) => leg)).toEqual(['1.1', '1.2']);
    expect(found[0]?.facts.map(({ kind, at, source }) => [kind, at - start, source])).toEqual([
      ['created', 1_000, 'estimate'],
      ['entered', 1_000, 'estimate'],
      ['ended', 9_000, 'estimate'],
    ]);
  });

  it('are those of which nobody else tells', () => {
    const inOurApp = { ...customer, dialplan: { app_name: 'Stasis', app_data: 'ringline,inbound,4930901820' } };
    const ours = channel('rl-01936c7e-8b2a-7000-8000-000000000001-a0c0', '1.1', { name: 'PJSIP/1001-00000003' });
    const unlinked = { ...customer, channelvars: {} };
    expect(unheardCalls(snapshot(inOurApp, ours, unlinked), nobody)).toEqual([]);
    expect(unheardCalls(snapshot(customer, anna), (leg) => leg === '1.1').map(({ leg }) => leg)).toEqual(['1.2']);
  });
});
