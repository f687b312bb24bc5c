/** What a replay misses, and sending what this device kept of it. Each throws an ApiError when refused. */
import type { RecordingHoles } from '@nacre/contract/healing';
import { api, ask } from '#lib/api.ts';
import { ApiError, errorFrom } from '#lib/problem.ts';

/** A part has 2.5 MB at most: 350 kbit/s. A slower line tries again, in vain. */
const sendWithinMs = 60_000;

const path = (showId: string) => ({ params: { path: { showId } } });

export async function loadHoles(showId: string): Promise<RecordingHoles> {
  return (await ask(api.GET('/api/office/shows/{showId}/recording/holes', path(showId)))) as RecordingHoles;
}

export async function healRecording(showId: string): Promise<void> {
  await ask(api.POST('/api/office/shows/{showId}/recording/heal', path(showId)));
}

/** Bytes, which the typed client does not know how to send. */
export async function sendPart(showId: string, startedAtMs: number, body: Uint8Array<ArrayBuffer>): Promise<void> {
  const answer = await fetch(`/api/office/shows/${showId}/recording/parts/${Math.round(startedAtMs)}`, {
    method: 'PUT', body, headers: { 'content-type': 'application/octet-stream' },
    signal: AbortSignal.timeout(sendWithinMs),
  }).catch(() => {
    throw new ApiError('network', 0);
  });
  if (answer.ok) return;
  throw errorFrom(await answer.json().catch(() => null), answer.status, answer.headers.get('retry-after'));
}

/** The server's clock, Unix epoch in ms, as it answers; and how long before it was asked. */
export async function serverNow(showId: string): Promise<{ nowMs: number; tookMs: number }> {
  const { now, tookMs } = await ask(api.GET('/api/office/shows/{showId}/examination', path(showId)));
  return { nowMs: Date.parse(now), tookMs };
}
