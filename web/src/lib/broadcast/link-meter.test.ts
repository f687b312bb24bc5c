import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLinkMeter } from './link-meter.ts';

/** As Chromium tells of two sizes, the small one first. */
function report(rids: readonly (string | undefined)[]): RTCStatsReport {
  const entries = rids.flatMap((rid) => {
    const isSmall = rid === 's';
    const id = `OT${rid}`;
    return [{
      id, type: 'outbound-rtp', kind: 'video', rid, mediaSourceId: 'SV1',
      qualityLimitationReason: isSmall ? 'cpu' : 'none',
      frameWidth: isSmall ? 288 : 720, frameHeight: isSmall ? 512 : 1280, framesPerSecond: isSmall ? 15 : 30,
      targetBitrate: isSmall ? 300_000 : 2_400_000, framesEncoded: isSmall ? 150 : 299,
      totalEncodeTime: isSmall ? 0.25 : 1.5,
    }, { id: `RI${rid}`, type: 'remote-inbound-rtp', kind: 'video', localId: id, fractionLost: isSmall ? 0.5 : 0.01 }];
  });
  const others = [
    { id: 'SV1', type: 'media-source', kind: 'video', frames: 301 },
    { id: 'T', type: 'transport', selectedCandidatePairId: 'CP' },
    { id: 'CP', type: 'candidate-pair', packetsSent: 10, packetsReceived: 5, availableOutgoingBitrate: 5e6 },
  ];
  return new Map([...entries, ...others].map((entry) => [entry.id, entry])) as unknown as RTCStatsReport;
}

for (const rids of [['s', 'f'], ['f', 's'], [undefined]]) {
  test(`[W359] the host reads of the full picture (${rids.map((rid) => rid ?? 'one size').join(', ')})`, () => {
    const meter = createLinkMeter(2_500_000);
    meter.read(report(rids), 1_000);
    const { width, height, framesPerSecond, limitedByCpu, lossRatio, availableBps } = meter.stats();
    assert.deepEqual([width, height, framesPerSecond, limitedByCpu, lossRatio, availableBps],
      [720, 1280, 30, false, 0.01, 5e6]);
    assert.deepEqual(meter.fullPicture(), {
      fullTargetBps: 2_400_000,
      pictures: { source: 'SV1', taken: 301, made: 299, encodeMs: rids.length > 1 ? 1_750 : 1_500 },
    });
  });
}

test('[W359] what a browser does not tell of the full picture is unknown, not nothing', () => {
  const meter = createLinkMeter(2_500_000);
  const bare = { id: 'O', type: 'outbound-rtp', kind: 'video' };
  meter.read(new Map([['O', bare]]) as unknown as RTCStatsReport, 1_000);
  assert.deepEqual(meter.fullPicture(), { fullTargetBps: null, pictures: null });
});
