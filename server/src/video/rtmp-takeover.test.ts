import assert from 'node:assert/strict';
import test from 'node:test';
import { loadClip } from '@nacre/media/publisher/clip';
import { startPublisher } from '@nacre/media/publisher/publisher';
import { until } from '../../../tests/support/nacre.ts';
import { demoClip } from '../../../tests/support/publisher-stage.ts';
import { avcHeader, hello, message, openRtmp, picture } from '../../../tests/support/rtmp-client.ts';
import { stageKeyOf, startVideoStage } from '../../../tests/support/video-stage.ts';

test('[V94] one show by WHIP, by RTMP, by WHIP again; its end and a new key cut an encoder', async (t) => {
  const stage = await startVideoStage({ openShows: ['a'] });
  const { video, pictureNews } = stage;
  const states: string[] = [];
  const whip = startPublisher({
    url: `${stage.url}/whip`, key: stageKeyOf('a'), clip: await loadClip(demoClip), log: () => undefined,
    onState: (state) => void states.push(state),
  });
  t.after(async () => {
    await whip.stop();
    await stage.stop();
  });
  assert.equal(video.rtmpPort(), null);
  const port = await video.listenRtmp(0, '127.0.0.1');
  assert.equal(video.rtmpPort(), port);
  const publish = async () => {
    const line = await openRtmp(t, port, hello(stageKeyOf('a')));
    await until('welcome', 5_000, () => line.heard().includes('NetStream.Publish.Start'));
    line.send(message({ type: 9, body: avcHeader() }));
    line.send(message({ type: 9, body: picture(true) }));
    // An encoder goes on: one that says nothing for 4 s is lost.
    let timestamp = 0;
    const going = setInterval(() => {
      timestamp += 500;
      line.send(message({ type: 9, timestamp, body: picture(false) }));
    }, 500);
    void line.closed.then(() => clearInterval(going));
    return line;
  };
  await until('a picture by WHIP', 10_000, () => pictureNews.length === 1);
  const second = await publish();
  await until('WHIP is replaced', 10_000, () => states.includes('down'));
  // The publisher comes back by itself, and so takes it over again.
  assert.match(await second.closed, /Another device publishes this show now\./);
  assert.deepEqual(pictureNews, ['up a'], 'a takeover is neither');
  await whip.stop();
  await until('it is gone', 5_000, () => pictureNews.length === 2);
  const third = await publish();
  await until('a picture', 5_000, () => pictureNews.length === 3);
  await video.dropPublisher('a');
  assert.match(await third.closed, /The show is over, or its key was changed\./);
  const fourth = await publish();
  await until('a picture', 5_000, () => pictureNews.length === 5);
  assert.equal((await video.stats()).publishersHere, 1);
  await video.endShow('a');
  assert.match(await fourth.closed, /The show is over/);
  stage.openShows.delete('a');
  const late = await openRtmp(t, port, hello(stageKeyOf('a')));
  assert.match(await late.closed, /opens no show/);
});
