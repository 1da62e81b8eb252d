import type { LabRingline } from '../ringline.js';

/** When the bytes of each agent's pop were with the stream's socket, by Ringline's own log. Milliseconds since 1970. */
export async function popsSentAt(ringline: LabRingline, callId: string): Promise<ReadonlyMap<string, number>> {
  const sentAt = new Map<string, number>();
  for (const line of (await ringline.log()).split('\n')) {
    if (!line.includes('"pop sent"') || !line.includes(callId)) continue;
    const entry = JSON.parse(line) as { callId: string; agentId: string; sentAtMs: number };
    if (entry.callId === callId && !sentAt.has(entry.agentId)) sentAt.set(entry.agentId, entry.sentAtMs);
  }
  return sentAt;
}
