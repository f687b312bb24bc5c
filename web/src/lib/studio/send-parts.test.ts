import assert from 'node:assert/strict';
import test from 'node:test';
import { ApiError } from '#lib/problem.ts';
import { pausesMs, sendPatiently } from './send-parts.ts';

/** Sends what answers so, one answer a try. */
async function sending(...answers: Array<ApiError | null>) {
  const waits: number[] = [];
  let tries = 0;
  const isTaken = await sendPatiently(async () => {
    const answer = answers[Math.min(tries, answers.length - 1)]!;
    tries += 1;
    if (answer) throw answer;
  }, async (ms) => void waits.push(ms)).catch((error: ApiError) => error.code);
  return { isTaken, tries, waits };
}
const lost = new ApiError('network', 0);

test('[W366] a part is sent again while the network is away, a few times, and then a person decides', async () => {
  assert.deepEqual(await sending(null), { isTaken: true, tries: 1, waits: [] });
  assert.deepEqual(await sending(lost, new ApiError('server.busy', 503), null),
    { isTaken: true, tries: 3, waits: pausesMs.slice(0, 2) });
  assert.deepEqual(await sending(lost), { isTaken: 'network', tries: 6, waits: pausesMs });
});

test('[W366] a part that the server never takes is known as not taken; what else is refused is said', async () => {
  for (const [code, status] of [
    ['recordings.part_elsewhere', 409], ['recordings.part_unusable', 422], ['request.too_large', 413],
  ] as const) {
    assert.deepEqual(await sending(new ApiError(code, status)), { isTaken: false, tries: 1, waits: [] }, code);
  }
  assert.equal((await sending(new ApiError('recordings.not_healable', 409))).isTaken, 'recordings.not_healable');
});
