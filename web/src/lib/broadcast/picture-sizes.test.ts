import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addPicture, createPictureSizes } from './picture-sizes.ts';

const maxBitrateBps = 2_500_000;
const whole = { bitrateBps: maxBitrateBps, framesPerSecond: 30, scale: 1 };

/** Parameters are good for one change, made after they were read, while no other is under way. */
function senderOf(encodings: RTCRtpEncodingParameters[]) {
  let isFresh = false;
  let isUnderWay = false;
  const told: RTCRtpEncodingParameters[][] = [];
  const sender = {
    getParameters() {
      isFresh = true;
      return { encodings: structuredClone(told.at(-1) ?? encodings) };
    },
    async setParameters(parameters: { encodings: RTCRtpEncodingParameters[] }) {
      if (!isFresh || isUnderWay) throw new DOMException('not read before', 'InvalidStateError');
      [isFresh, isUnderWay] = [false, true];
      await Promise.resolve();
      isUnderWay = false;
      told.push(parameters.encodings);
    },
  };
  return { sender: sender as unknown as RTCRtpSender, told };
}

const two = (): RTCRtpEncodingParameters[] => [
  { rid: 's', active: true, maxBitrate: 30_000, maxFramerate: 15, scaleResolutionDownBy: 2.5 },
  { rid: 'f', active: true, maxBitrate: maxBitrateBps, maxFramerate: 30, scaleResolutionDownBy: 1 },
];

function offer(t: { mock: typeof import('node:test').mock }, userAgent: string, refusesTwo = false) {
  t.mock.getter(navigator, 'userAgent', () => userAgent);
  const offered: RTCRtpEncodingParameters[][] = [];
  const connection = {
    addTransceiver(_source: unknown, { sendEncodings = [] }: RTCRtpTransceiverInit) {
      if (refusesTwo && sendEncodings.length > 1) throw new TypeError('no sizes here');
      offered.push(sendEncodings);
    },
  };
  addPicture(connection as unknown as RTCPeerConnection, 'video', { direction: 'sendonly' }, maxBitrateBps);
  assert.equal(offered.length, 1);
  return offered[0]!;
}

test('[W356] two sizes are offered, from the smallest up, and the small one thin', (t) => {
  assert.deepEqual(offer(t, 'Chrome/151').map((one) => ({ active: true, ...one })), two());
});

test('[W360] a browser that refuses sizes, or cannot send two of H.264, is offered the full one alone', (t) => {
  const alone = [{ maxBitrate: maxBitrateBps, maxFramerate: 30 }];
  assert.deepEqual(offer(t, 'Chrome/60', true), alone);
  assert.deepEqual(offer(t, 'Firefox/140.0'), alone);
});

test('[W357] with less than the whole picture the small one goes in the same step, and comes back so', async () => {
  const { sender, told } = senderOf(two());
  const sizes = createPictureSizes(sender, maxBitrateBps);
  await sizes.setSmall(300_000);
  assert.deepEqual(told.at(-1)!.map(({ active, maxBitrate }) => [active, maxBitrate]), [
    [true, 300_000], [true, maxBitrateBps],
  ]);
  await sizes.setShape({ bitrateBps: maxBitrateBps, framesPerSecond: 15, scale: 0.75 });
  assert.equal(sizes.isWhole(), false);
  const [small, full] = told.at(-1)!;
  assert.deepEqual([small!.active, small!.maxBitrate, small!.scaleResolutionDownBy], [false, 300_000, 2.5]);
  assert.deepEqual([full!.active, full!.maxFramerate, full!.scaleResolutionDownBy], [true, 15, 1 / 0.75]);
  await sizes.setShape(whole);
  assert.equal(sizes.isWhole(), true);
  assert.deepEqual(told.at(-1)!.map(({ active }) => active), [true, true]);
  assert.equal(told.length, 3);
});

test('[W357] what is told at the same time is told one after another, and the last word holds', async () => {
  const { sender, told } = senderOf(two());
  const sizes = createPictureSizes(sender, maxBitrateBps);
  await Promise.all([
    sizes.setSmall(300_000), sizes.setShape({ ...whole, framesPerSecond: 20 }),
    sizes.setSmall(0), sizes.setShape(whole),
  ]);
  assert.deepEqual(told.at(-1)!.map(({ active, maxFramerate }) => [active, maxFramerate]), [[false, 15], [true, 30]]);
});

test('[W360] where one size is left it is the full one, whatever its name', async () => {
  const [small, full] = two();
  for (const one of [small!, full!, { active: true, maxBitrate: maxBitrateBps, maxFramerate: 30 }]) {
    const { sender, told } = senderOf([one]);
    const sizes = createPictureSizes(sender, maxBitrateBps);
    await sizes.setSmall(0);
    await sizes.setShape({ ...whole, scale: 0.5 });
    assert.deepEqual(told.at(-1), [
      { ...one, maxBitrate: maxBitrateBps, maxFramerate: 30, scaleResolutionDownBy: 2 },
    ]);
  }
});

test('[W360] a browser that refuses parameters, or has none, goes on', async () => {
  const { sender } = senderOf([]);
  await createPictureSizes(sender, maxBitrateBps).setShape(whole);
  const closed = {
    getParameters: () => { throw new DOMException('closed', 'InvalidStateError'); },
  } as unknown as RTCRtpSender;
  const sizes = createPictureSizes(closed, maxBitrateBps);
  await sizes.setShape(whole);
  await sizes.setSmall(0);
});
