/**
 * Makes the corpus anew: the offers and first packets of a real Chromium with the camera that it draws itself, and of
 * the publisher without a browser. Credentials and fingerprints are replaced, addresses become those of RFC 5737.
 *
 * Usage: node tests/fuzz/capture.ts [name of one …]
 */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadClip } from '@nacre/media/publisher/clip';
import { startPublisher } from '@nacre/media/publisher/publisher';
import { isRtcp } from '@nacre/media/rtp/packet';
import { buildKeyRequest, buildReceiverReport, buildReferenceTime } from '@nacre/media/rtp/rtcp';
import { buildAnswer } from '@nacre/media/whip/answer';
import { parseOffer, type Offer } from '@nacre/media/whip/offer';
import { createTransport } from '@nacre/media/whip/transport';
import { cameraPage } from '../support/camera-page.ts';
import { DRAWN_CAMERA, launchChromium } from '../support/chromium.ts';
import { demoClip } from '../support/publisher-stage.ts';
import { joinPackets } from './mutate.ts';

const corpus = join(import.meta.dirname, 'corpus');
/** What a session of ours takes for which payload type (`targets.ts`). */
const types = { video: 102, rtx: 103, audio: 111 };
/** Enough for a key picture, some others, sound and reports; more only makes the repository larger. */
const keptRtp = 60;
const keptRtcp = 12;
const address = '127.0.0.1';

function anonymous(sdp: string): string {
  return sdp
    .replaceAll(/^a=ice-ufrag:.*$/gm, 'a=ice-ufrag:Og68')
    .replaceAll(/^a=ice-pwd:.*$/gm, 'a=ice-pwd:57acReSbJxyjL4zrlQ47OZ1a')
    .replaceAll(/^a=fingerprint:.*$/gm, `a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}`)
    .replaceAll(/^(a=candidate:.*?) [0-9a-f.:]+(?:\.local)? (\d+ typ)/gm, '$1 192.0.2.7 $2')
    .replaceAll(/ IN IP[46] (?!0\.0\.0\.0|127\.)\S+/g, ' IN IP4 192.0.2.7');
}

/** Payload types and the transport-wide extension's id as the corpus has them. */
function renumbered(packet: Buffer, offer: Offer): Buffer {
  const copy = Buffer.from(packet);
  const type = copy[1]! & 0x7f;
  const renumber = (to: number): void => void (copy[1] = (copy[1]! & 0x80) | to);
  if (type === offer.video.payloadType) renumber(types.video);
  else if (type === offer.video.rtxPayloadType) renumber(types.rtx);
  else if (type === offer.audio?.payloadType) renumber(types.audio);
  return copy;
}

/** In the order in which they came; of no stream more than its share, so that all are there. */
function firstOf(rtp: readonly Buffer[]): Buffer[] {
  const seen = new Map<number, number>();
  const streams = new Set(rtp.map((packet) => packet.readUInt32BE(8))).size;
  return rtp.filter((packet) => {
    const ssrc = packet.readUInt32BE(8);
    seen.set(ssrc, (seen.get(ssrc) ?? 0) + 1);
    return seen.get(ssrc)! <= keptRtp / streams;
  });
}

async function capture(name: string, publish: (url: string) => Promise<() => Promise<void>>): Promise<void> {
  if (process.argv.length > 2 && !process.argv.includes(name)) return;
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const transport = await createTransport({ udpPort: 0, bindAddress: address, log });
  const [rtp, rtcp]: [Buffer[], Buffer[]] = [[], []];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      if (request.method !== 'POST') return void response.setHeader('content-type', 'text/html').end(cameraPage);
      writeFileSync(join(corpus, 'sdp', `${name}.sdp`), anonymous(body));
      const offer = parseOffer(body);
      const peer = transport.accept(name, offer, {
        onUp: () => undefined,
        onGone: () => undefined,
        onPacket(packet) {
          if (isRtcp(packet)) rtcp.push(packet);
          else rtp.push(renumbered(packet, offer));
          if (rtp.length === 4) peer.send(buildKeyRequest(1, rtp[0]!.readUInt32BE(8)));
        },
      });
      setInterval(() => {
        peer.send(buildReceiverReport(1, []));
        peer.send(buildReferenceTime(1, performance.now()));
      }, 500).unref();
      const answer = buildAnswer(offer, { ...peer.local, addresses: [address], udpPort: transport.udpPort });
      response.writeHead(201).end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const stop = await publish(`http://localhost:${(server.address() as AddressInfo).port}/whip`);
  await sleep(4_000);
  await stop();
  server.closeAllConnections();
  server.close();
  const kept = joinPackets([...firstOf(rtp), ...rtcp.slice(0, keptRtcp)]);
  writeFileSync(join(corpus, 'packets', `${name}.bin`), kept);
  console.log(`${name}: ${rtp.length} RTP and ${rtcp.length} RTCP packets came, ${kept.length} bytes kept`);
}

const camera = (isSmallToo: boolean) => async (url: string): Promise<() => Promise<void>> => {
  const browser = await launchChromium(DRAWN_CAMERA);
  const page = await browser.newPage();
  await page.goto(url);
  await page.evaluate(`publish(${isSmallToo})`);
  if (isSmallToo) await page.evaluate("sendSizes('f', 's')");
  return () => browser.close();
};
await capture('chromium', camera(false));
await capture('chromium-sizes', camera(true));
await capture('publisher', async (url) => {
  const publisher = startPublisher({ url, key: 'show', clip: await loadClip(demoClip), log: () => undefined });
  return () => publisher.stop();
});
process.exit(0);
