import assert from 'node:assert/strict';
import test from 'node:test';
import { PublishRefusal } from '@nacre/media/hooks';
import { Refusal } from '../lib/refusal.ts';
import { createConnectionTrials, maxTrials } from './connection-trials.ts';
import { problemOfRefusal } from './whip.ts';

/** The media process as seen from here. */
function openTrials() {
  const published: string[] = [];
  const trials = createConnectionTrials(() => ({
    async publish({ streamId, offerSdp }) {
      if (offerSdp === 'broken') throw new PublishRefusal('offer_malformed', 'It cannot be read.');
      published.push(streamId);
      return { sessionId: streamId, answerSdp: 'answer' };
    },
  }), (code) => problemOfRefusal[code]);
  return { trials, published };
}

test('[V83] a trial is nobody else’s business, and so many at a time are answered', async () => {
  const { trials, published } = openTrials();
  for (let index = 0; index < maxTrials; index += 1) assert.equal(await trials.open('offer'), 'answer');
  await assert.rejects(trials.open('offer'), (error) => error instanceof Refusal && error.code === 'server.busy');
  const streamId = published[0]!;
  assert.equal(trials.takes({ type: 'up', streamId, sessionId: 's' }), true);
  assert.equal(trials.takes({ type: 'down', streamId, sessionId: 's', reason: 'lost' }), true);
  assert.equal(await trials.open('offer'), 'answer');
  assert.equal(trials.takes({ type: 'up', streamId: 'a show', sessionId: 's' }), false);
  assert.equal(trials.takes({ type: 'child-restarted', pid: 1, restarts: 1 }), false);
});

test('[V83] an offer that cannot be used is refused, and takes no place', async () => {
  const { trials } = openTrials();
  for (let index = 0; index <= maxTrials; index += 1) {
    await assert.rejects(trials.open('broken'), new Refusal('request.invalid'));
  }
});
