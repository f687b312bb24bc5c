/**
 * A thousand publishers that come and go, some without a goodbye: the media process ends about as large as it was after
 * the first hundred, with as many threads and open files, on the same UDP port.
 */
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadClip } from '@nacre/media/publisher/clip';
import { releaseSenders } from '@nacre/media/publisher/connection';
import { startPublisher } from '@nacre/media/publisher/publisher';
import { sizeOf, type ProcessSize } from '../support/process-size.ts';
import { demoClip, startPublisherStage, type PublisherStage } from '../support/publisher-stage.ts';

const publishes = Number(process.env['NACRE_TEST_DEPARTURES'] ?? 1000);
const warmUp = 100;
const sideBySide = 4;
/** One of so many vanishes: its packets stop, and no goodbye comes. */
const vanishes = 20;
/** After those that vanished have been noticed (4 s), and what is collected late. */
const settleMs = 8_000;
/** A leak of 20 KB for each publisher, which is what one session holds, would be 18 MB. */
const growthMaxBytes = 9 * 2 ** 20;

after(releaseSenders);

async function publishOnce(stage: PublisherStage, index: number): Promise<void> {
  let isSilent = false;
  const clip = await clipOnce;
  const key = `show-${index}`;
  const publisher = startPublisher({
    url: stage.url, key, clip, log: () => undefined, dropPacket: () => isSilent,
  });
  const has = (type: 'fragment' | 'down') => () => stage.of(type).some(({ streamId }) => streamId === key);
  await stage.until(`pictures of ${key}`, has('fragment'), 15_000);
  if (index % vanishes === 0) {
    isSilent = true;
    await stage.until(`${key} is lost`, has('down'), 10_000);
  }
  await publisher.stop();
  await stage.until(`${key} is gone`, has('down'));
}

const clipOnce = loadClip(demoClip);

async function publishMany(stage: PublisherStage, from: number, to: number): Promise<void> {
  let next = from;
  await Promise.all(Array.from({ length: sideBySide }, async () => {
    while (next < to) {
      await publishOnce(stage, next++);
      // What is kept for the asking is the test's own growth.
      if (next % 50 === 0) stage.events.splice(0, stage.events.length - 2_000);
    }
  }));
  await sleep(settleMs);
}

test('[M99] a thousand publishers come and go, and nothing of them stays', async (t) => {
  const stage = await startPublisherStage();
  t.after(() => stage.stop());
  const { udpPort } = await stage.supervisor.ready();
  const pid = stage.supervisor.pid()!;
  const look = (): ProcessSize => sizeOf(pid) ?? assert.fail('there is no /proc here');
  await publishMany(stage, 0, warmUp);
  const before = look();
  for (let done = warmUp; done < publishes; done += 100) {
    await publishMany(stage, done, Math.min(publishes, done + 100));
    t.diagnostic(`after ${done + 100}: ${JSON.stringify(look())}`);
  }
  const after = look();
  const stats = (await stage.supervisor.stats())!;
  assert.deepEqual([stats.sessions.length, stats.udpPort, stats.restarts, stats.pid], [0, udpPort, 0, pid]);
  assert.ok(after.files <= before.files + 2, `${before.files} files, then ${after.files}`);
  assert.ok(after.threads <= before.threads + 2, `${before.threads} threads, then ${after.threads}`);
  const grown = after.residentBytes - before.residentBytes;
  assert.ok(grown < growthMaxBytes, `${(grown / 2 ** 20).toFixed(1)} MB more`);
});
