import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../../lab/wait-for.js';
import { createLog } from '../../common/logger.js';
import type { Fact, FactSource } from '../../calls/domain/fact.js';
import { Metrics } from '../../metrics/metrics.js';
import { AsteriskMetrics } from '../asterisk-metrics.js';
import { readEntry, type StreamEntry } from './stream-entry.js';
import { StreamRecorder } from './stream-recorder.js';

let folder: string;
let metrics: AsteriskMetrics;
let logged: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ringline-streams-'));
  metrics = new AsteriskMetrics(
    new Metrics(),
    () => 0,
    () => 0,
  );
  logged = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const place = { node: 'node', boot: 'boot', app: 'ringline' };

function recorder(waitingBytes = 1e6): StreamRecorder {
  const log = createLog('warn', { write: (line) => logged.push(line) });
  return new StreamRecorder(folder, metrics, log, { fileBytes: 1e6, files: 2, waitingBytes });
}

async function entries(): Promise<StreamEntry[]> {
  const files = await readdir(folder);
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  return texts.flatMap((text) => text.trimEnd().split('\n').map(readEntry)).filter((entry) => entry !== null);
}

function fact(source: FactSource): Fact {
  return { leg: 'leg', kind: 'ringing', key: '', at: 1, source, data: {} };
}

describe('the recorder of streams', () => {
  it('writes each message exactly as it came, a file for each node', async () => {
    const recorded = recorder();
    const texts = ['{"type":"StasisEnd",  "a":"\\u0041\u2028"}', 'no JSON at all\n', ''];
    for (const text of texts) recorded.record(place, { kind: 'frame', text });
    recorded.record({ ...place, node: 'other' }, { kind: 'closed', reason: 'gone' });
    await recorded.close();
    const written = await entries();
    expect(written.filter(({ node }) => node === 'node')).toEqual(
      texts.map((text) => ({ at: expect.any(Number), ...place, kind: 'frame', text })),
    );
    expect(await readdir(folder)).toHaveLength(2);
  });

  it('writes what the ledger is told by ourselves, and not what follows from frames and snapshots', async () => {
    const recorded = recorder();
    recorded.record(place, { kind: 'closed', reason: 'first' });
    const told = { nodeId: 'node', boot: 'boot', leg: 'leg', receivedAt: null };
    const call = { id: 'call', tenantId: 'tenant' };
    recorded.onTold({ ...told, receivedAt: 5, facts: [fact('switch')] });
    recorded.onTold({ ...told, facts: [fact('reconcile')] });
    recorded.onTold({ ...told, facts: [fact('estimate')], call });
    recorded.onTold({ ...told, facts: [fact('ringline')] });
    recorded.onTold({ ...told, facts: [fact('cel')] });
    recorded.onRouted({ nodeId: 'node', boot: 'boot', leg: 'leg', did: '4930', callId: null, route: null });
    await recorded.close();
    const [, ...rest] = await entries();
    expect(rest).toEqual([
      expect.objectContaining({ ...place, kind: 'told', told: { leg: 'leg', facts: [fact('estimate')], call } }),
      expect.objectContaining({ ...place, kind: 'told', told: { leg: 'leg', facts: [fact('ringline')] } }),
      expect.objectContaining({ ...place, kind: 'told', told: { leg: 'leg', facts: [fact('cel')] } }),
      expect.objectContaining({ ...place, kind: 'routed', did: '4930', callId: null, route: null }),
    ]);
  });

  it('counts what the disk could not follow, says so once, and marks the place in the stream', async () => {
    const recorded = recorder(500);
    for (let i = 0; i < 50; i++) recorded.record(place, { kind: 'frame', text: `${i}`.repeat(20) });
    const dropped = (await metrics.recordingDropped.get()).values[0]?.value ?? 0;
    expect(dropped).toBeGreaterThan(30);
    await waitFor(async () => (await entries()).length > 0, { what: 'the first lines' });
    recorded.record(place, { kind: 'frame', text: 'after' });
    await recorded.close();
    const written = await entries();
    expect(written.slice(-2)).toMatchObject([
      { kind: 'missed', lines: dropped },
      { kind: 'frame', text: 'after' },
    ]);
    expect(written).toHaveLength(50 - dropped + 2);
    expect(logged.filter((line) => line.includes('were dropped'))).toHaveLength(1);
  });

  it('says at once that its folder cannot be written, and at each start that it records', async () => {
    recorder();
    expect(logged.join()).toContain('unset RECORD_ARI');
    const file = join(folder, 'file');
    await writeFile(file, '');
    folder = join(file, 'streams');
    expect(recorder).toThrow(/^RECORD_ARI: nothing can be written to .*file\/streams/);
    folder = join(file, '..');
  });
});
