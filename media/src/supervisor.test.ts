/** The real supervisor, its process and a real publisher over real UDP, on the demo show's clip. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, suite, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';
import { demoClip, startPublisherStage, type PublisherStage } from '../../tests/support/publisher-stage.ts';
import { unlessStarved, type Scope } from '../../tests/support/processor.ts';
import { PublishRefusal, type StreamFragment } from './hooks.ts';
import { maxPublishers } from './media-server.ts';
import { loadClip, type Clip } from './publisher/clip.ts';
import { payloadTypes, releaseSenders } from './publisher/connection.ts';
import { startPublisher, type Publisher, type PublisherOptions } from './publisher/publisher.ts';
import { isRtcp } from './rtp/packet.ts';
import { createMediaSupervisor } from './supervisor.ts';
import { mediaTimeoutMs } from './whip/session.ts';

const clip: Clip = await loadClip(demoClip);
const quietLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

after(releaseSenders);

async function openStage(t: Scope): Promise<PublisherStage> {
  const stage = await startPublisherStage();
  t.after(() => stage.stop());
  return stage;
}

function publish(t: Scope, stage: PublisherStage, more: Partial<PublisherOptions> = {}): Publisher {
  const publisher = startPublisher({ url: stage.url, key: 'show', clip, log: () => undefined, ...more });
  t.after(() => publisher.stop());
  return publisher;
}

const pictures = (stage: PublisherStage): StreamFragment[] =>
  stage.of('fragment').filter(({ track }) => track === 'video');

function assertContiguous(fragments: StreamFragment[]): void {
  fragments.forEach((fragment, index) => {
    const before = fragments[index - 1];
    if (before !== undefined) assert.ok(Math.abs(before.timeMs + before.durationMs - fragment.timeMs) < 0.01);
  });
}

/** A second opinion where the machine has one. */
function checkWithFfmpeg(t: TestContext, file: Buffer): void {
  const folder = mkdtempSync(join(tmpdir(), 'nacre-ingest-'));
  try {
    const path = join(folder, 'out.mp4');
    writeFileSync(path, file);
    const args = ['-v', 'error', '-xerror', '-i', path, '-fps_mode', 'passthrough', '-f', 'null', '-'];
    const { error, status, stderr } = spawnSync('ffmpeg', args, { encoding: 'utf8' });
    if (error !== undefined) t.diagnostic('ffmpeg is not here; only mediabunny has read the result');
    else assert.deepEqual([status, stderr], [0, '']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const deadOffer = [
  'v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', 'm=video 9 UDP/TLS/RTP/SAVPF 96', 'c=IN IP4 0.0.0.0', 'a=mid:0',
  'a=sendonly', 'a=rtcp-mux', 'a=rtpmap:96 H264/90000', 'a=fmtp:96 packetization-mode=1;profile-level-id=42e01f',
  'a=ice-ufrag:abcd', `a=ice-pwd:${'p'.repeat(24)}`, `a=fingerprint:sha-256 ${Array(32).fill('AA').join(':')}`,
  'a=setup:actpass', '',
].join('\r\n');

// These two are about time itself: a second publisher beside them would take the processor that a repair needs.
test('[M13] what is sent comes out as an MP4 with every picture and sound, exact to the tick', async (t) => {
  const stage = await openStage(t);
  publish(t, stage);
  await stage.until('five seconds of pictures', () => pictures(stage).length >= 126, 15_000);
  const init = stage.of('init')[0]!;
  assert.deepEqual([init.width, init.height, init.hasAudio, init.generation], [720, 1280, true, 1]);
  assert.match(init.mime, /^video\/mp4; codecs="avc1\.42c01f,opus"$/);
  const fragments = stage.of('fragment').slice();
  const videos = fragments.filter(({ track }) => track === 'video');
  const audios = fragments.filter(({ track }) => track === 'audio');
  assertContiguous(videos);
  assertContiguous(audios);
  // A machine that stands still for a second lets the picture go; its neighbours make up for it.
  const inexact = videos.filter(({ durationMs }) => Math.abs(durationMs - 40) > 0.02);
  assert.ok(inexact.length <= 2, `${inexact.length} pictures do not last 40 ms`);
  assert.deepEqual(videos.filter(({ isKey }) => isKey).map(({ timeMs }) => Math.round(timeMs)), [0, 2000, 4000]);
  assert.equal(audios[0]!.timeMs, 0);
  const file = Buffer.concat([init.initSegment, ...fragments.map(({ data }) => data)]);
  const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(file) });
  let samples = 0;
  for await (const packet of new EncodedPacketSink((await input.getPrimaryVideoTrack())!).packets()) {
    assert.ok(Math.abs(packet.timestamp - videos[samples]!.timeMs / 1000) < 0.0001);
    samples += 1;
  }
  assert.equal(samples, videos.length);
  let sounds = 0;
  for await (const _packet of new EncodedPacketSink((await input.getPrimaryAudioTrack())!).packets()) sounds += 1;
  assert.ok(sounds >= 240 && sounds <= 262, `${sounds} sounds`);
  checkWithFfmpeg(t, file);
});

test('[M5] two percent of loss is mended without one bad picture', (t) => unlessStarved(t, async (scope) => {
  const stage = await openStage(scope);
  let seed = 11;
  const chance = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const publisher = publish(scope, stage, { dropPacket: () => chance() < 0.02 });
  await stage.until('six seconds of pictures', () => pictures(stage).length >= 150, 20_000);
  const session = (await stage.supervisor.stats())!.sessions[0]!;
  assert.ok(publisher.counts().dropped > 5, 'packets were dropped');
  assert.ok(session.mended > 0);
  // A busy machine may be late for a sound frame's 200 ms; pictures have twice as long.
  assert.equal(session.picturesDropped, 0);
  assert.ok(session.lost <= 1 && session.mended > session.nacked * 0.9, JSON.stringify(session));
  assertContiguous(pictures(stage));
  const last = pictures(stage).at(-1)!;
  const missing = (last.timeMs + last.durationMs) / 40 - pictures(stage).length;
  assert.ok(Math.abs(missing) < 2, `${missing} pictures are missing`);
}));

// They mostly wait for real time to pass, so several run side by side.
suite('publishers through the real media process', { concurrency: 2 }, () => {
  test('[M6] a loss that cannot be mended costs pictures up to the next key', (t) => unlessStarved(t, async (scope) => {
    const stage = await openStage(scope);
    // One picture never comes through, repairs included; the next key picture is 720 ms later.
    let lost: number | null = null;
    const dropPacket = (packet: Buffer): boolean => {
      const type = packet[1]! & 0x7f;
      if (isRtcp(packet) || (type !== payloadTypes.h264 && type !== payloadTypes.rtx)) return false;
      lost ??= (packet.readUInt32BE(4) + 82 * 3600) >>> 0;
      return packet.readUInt32BE(4) === lost;
    };
    const publisher = publish(scope, stage, { dropPacket });
    await stage.until('seven seconds', () => (pictures(stage).at(-1)?.timeMs ?? 0) > 6900, 20_000);
    const session = (await stage.supervisor.stats())!.sessions[0]!;
    assert.ok(session.lost > 0 && session.picturesDropped > 0, JSON.stringify(session));
    assert.ok(session.keyRequests > 0);
    assertContiguous(pictures(stage));
    assertContiguous(stage.of('fragment').filter(({ track }) => track === 'audio'));
    const long = pictures(stage).findIndex(({ durationMs }) => durationMs > 100);
    assert.ok(pictures(stage)[long + 1]!.isKey, 'after the gap comes a key picture');
    assert.equal(publisher.counts().connections, 1);
  }));

  test('[M16] a second publisher on the same stream takes over, and the first is told down once', async (t) => {
    const stage = await openStage(t);
    publish(t, stage);
    await stage.until('the first picture', () => pictures(stage).length > 0);
    const first = stage.of('init')[0]!.sessionId;
    const second = startPublisher({ url: stage.url, key: 'show', clip, log: () => undefined });
    await stage.until('the second init', () => stage.of('init').some(({ sessionId }) => sessionId !== first));
    await second.stop();
    const order = stage.events.filter(({ type }) => type === 'up' || type === 'down').slice(0, 3);
    assert.deepEqual(order.map(({ type }) => type), ['up', 'down', 'up']);
    const downs = stage.of('down').filter(({ sessionId }) => sessionId === first);
    assert.deepEqual(downs.map(({ reason }) => reason), ['replaced']);
  });

  test('[M39] one that takes over and cannot connect leaves the first on air', async (t) => {
    const stage = await openStage(t);
    publish(t, stage);
    await stage.until('the first picture', () => pictures(stage).length > 0);
    await stage.supervisor.publish({ streamId: pictures(stage)[0]!.streamId, offerSdp: deadOffer });
    // Another try of it takes the place of the first try alone.
    await stage.supervisor.publish({ streamId: pictures(stage)[0]!.streamId, offerSdp: deadOffer });
    const count = pictures(stage).length;
    await stage.until('pictures of the first', () => pictures(stage).length > count + 25);
    assert.deepEqual(stage.of('down').map(({ reason }) => reason), ['replaced']);
    assert.notEqual(stage.of('down')[0]!.sessionId, pictures(stage)[0]!.sessionId);
    assert.equal((await stage.supervisor.stats())!.sessions.length, 2);
  });

  test('[M17] the media process is killed: its sessions are down, a new one takes publishers again', async (t) => {
    const stage = await openStage(t);
    publish(t, stage);
    await stage.until('the first picture', () => pictures(stage).length > 0);
    const pid = stage.supervisor.pid()!;
    process.kill(pid, 'SIGKILL');
    await stage.until('crashed', () => stage.of('down').length === 1);
    assert.equal(stage.of('down')[0]!.reason, 'crashed');
    await assert.rejects(
      stage.supervisor.publish({ streamId: 'x', offerSdp: 'v=0' }),
      (error) => error instanceof PublishRefusal && error.code === 'unavailable',
    );
    await stage.until('restarted', () => stage.of('child-restarted').length === 1);
    await stage.until('pictures again', () => stage.of('init').length === 2, 15_000);
    const stats = (await stage.supervisor.stats())!;
    assert.ok(stats.pid !== pid && stats.restarts === 1);
  });

  test('[M18] a publisher that vanishes is lost within the media timeout', (t) => unlessStarved(t, async (scope) => {
    const stage = await openStage(scope);
    let isSilent = false;
    publish(scope, stage, { dropPacket: () => isSilent });
    await stage.until('the first picture', () => pictures(stage).length > 0);
    isSilent = true;
    const fromMs = performance.now();
    await stage.until('lost', () => stage.of('down').length === 1);
    const tookMs = performance.now() - fromMs;
    assert.equal(stage.of('down')[0]!.reason, 'lost');
    assert.ok(tookMs > mediaTimeoutMs - 200 && tookMs < mediaTimeoutMs + 1500, `${tookMs} ms`);
  }));

  test('[M16] a goodbye is down closed; a session unknown or ended is not found', async (t) => {
    const stage = await openStage(t);
    const publisher = publish(t, stage);
    await stage.until('up', () => stage.of('up').length === 1);
    const { sessionId } = stage.of('up')[0]!;
    assert.equal(await stage.supervisor.patch(sessionId, ''), true);
    await publisher.stop();
    await stage.until('down', () => stage.of('down').length === 1);
    assert.equal(stage.of('down')[0]!.reason, 'closed');
    assert.equal(await stage.supervisor.remove(sessionId), false);
    assert.equal(await stage.supervisor.patch(sessionId, ''), false);
  });

  test('[M14] a refused offer leaves the publisher that is on air alone', async (t) => {
    const stage = await openStage(t);
    publish(t, stage);
    await stage.until('the first picture', () => pictures(stage).length > 0);
    await assert.rejects(stage.supervisor.publish({ streamId: 'show', offerSdp: 'v=0\r\n' }), PublishRefusal);
    assert.equal(stage.of('down').length, 0);
  });

  test('[M21] as many publishers as one process carries, and no more', async (t) => {
    const stage = await openStage(t);
    for (let index = 0; index < maxPublishers; index += 1) {
      await stage.supervisor.publish({ streamId: `s${index}`, offerSdp: deadOffer });
    }
    await assert.rejects(
      stage.supervisor.publish({ streamId: 'one more', offerSdp: deadOffer }),
      (error) => error instanceof PublishRefusal && error.code === 'too_many_publishers',
    );
    await stage.supervisor.publish({ streamId: 's0', offerSdp: deadOffer });
    assert.equal((await stage.supervisor.stats())!.sessions.length, maxPublishers);
  });

  test('[M20] a taken UDP port is told in a sentence', async (t) => {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, resolve));
    t.after(() => socket.close());
    const { port } = socket.address();
    const supervisor = createMediaSupervisor({ udpPort: port, log: quietLog, onEvent: () => undefined });
    await assert.rejects(supervisor.ready(), new RegExp(`UDP port ${port} is taken`));
    await supervisor.stop();
  });

  test('[M20] a media process that never comes up is given up in a sentence', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'nacre-media-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const program = join(folder, 'broken.ts');
    writeFileSync(program, 'throw new Error("no native library");');
    const supervisor = createMediaSupervisor({
      udpPort: 0, program, log: quietLog, onEvent: () => undefined,
    });
    await assert.rejects(supervisor.ready(), /Video cannot start: its process ended 5 times/);
    await supervisor.stop();
  });

  test('[M19] when the main process is killed, the media process ends with it', async () => {
    const script = `
      import { createMediaSupervisor } from ${JSON.stringify(new URL('./supervisor.ts', import.meta.url).href)};
      const log = { info() {}, warn() {}, error() {} };
      const supervisor = createMediaSupervisor({ udpPort: 0, log, onEvent() {} });
      await supervisor.ready();
      console.log(supervisor.pid());
      setInterval(() => {}, 1000);`;
    const args = ['--input-type=module', '-e', script];
    const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = await new Promise<number>((resolve) => parent.stdout.once('data', (data) => resolve(Number(data))));
    assert.ok(pid > 0);
    process.kill(pid, 0);
    parent.kill('SIGKILL');
    const deadline = performance.now() + 3000;
    for (;;) {
      try {
        process.kill(pid, 0);
      } catch {
        break;
      }
      assert.ok(performance.now() < deadline, 'the media process still runs');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });

  test('[M22] the publisher’s process comes back when the server does, and ends with its standard input', async (t) => {
    const main = fileURLToPath(new URL('./publisher/main.ts', import.meta.url));
    const first = await startPublisherStage();
    const publisher = spawn(process.execPath, [main, '--url', first.url, '--clip', demoClip], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    t.after(() => publisher.kill('SIGKILL'));
    const ended = new Promise<number | null>((resolve) => publisher.once('exit', resolve));
    publisher.stdin.write('show\n');
    await first.until('the first picture', () => pictures(first).length > 0);
    const port = Number(new URL(first.url).port);
    await first.stop();
    const second = await startPublisherStage({ port });
    t.after(() => second.stop());
    await second.until('pictures again', () => pictures(second).length > 0, 20_000);
    publisher.stdin.end();
    assert.equal(await ended, 0);
    await second.until('goodbye', () => second.of('down').length === 1);
    assert.equal(second.of('down')[0]!.reason, 'closed');
  });
});
