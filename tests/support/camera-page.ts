import type { Browser, Page } from 'playwright-core';

/**
 * What publishes a browser's camera from any page, for tests of the receiving side without the studio: `publish()` does
 * it as the studio does (H.264 first, 2.5 Mbit/s, resolution kept) in as few lines as possible, `look()` tells its
 * figures. `publish(true)` can send a small picture too: `sendSizes('f', 's')` says which sizes go out, at first the
 * full one.
 */
export const cameraScript = `
async function publish(isSmallToo = false, key = 'camera') {
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { width: 720, height: 1280, frameRate: 30 }, audio: true,
  });
  const pc = (window.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' }));
  const fullOne = { maxBitrate: 2_500_000 };
  const smallOne = { rid: 's', active: false, maxBitrate: 300_000, maxFramerate: 15, scaleResolutionDownBy: 2.5 };
  const sendEncodings = isSmallToo ? [smallOne, { rid: 'f', maxFramerate: 30, ...fullOne }] : [fullOne];
  window.video = pc.addTransceiver(stream.getVideoTracks()[0], { direction: 'sendonly', sendEncodings });
  pc.addTransceiver(stream.getAudioTracks()[0], { direction: 'sendonly' });
  const { codecs } = RTCRtpSender.getCapabilities('video');
  const isWanted = ({ mimeType, sdpFmtpLine = '' }) =>
    mimeType === 'video/H264' && sdpFmtpLine.includes('packetization-mode=1') && sdpFmtpLine.includes('42e01f');
  const repeats = codecs.filter(({ mimeType }) => mimeType === 'video/rtx');
  video.setCodecPreferences([...codecs.filter(isWanted), ...repeats]);
  const parameters = video.sender.getParameters();
  parameters.degradationPreference = 'maintain-resolution';
  await video.sender.setParameters(parameters);
  await pc.setLocalDescription();
  const startedMs = performance.now();
  const headers = { authorization: 'Bearer ' + key, 'content-type': 'application/sdp' };
  const response = await fetch('/whip', { method: 'POST', headers, body: pc.localDescription.sdp });
  if (response.status !== 201) throw new Error(await response.text());
  await pc.setRemoteDescription({ type: 'answer', sdp: await response.text() });
  while (pc.connectionState !== 'connected') await new Promise((resolve) => setTimeout(resolve, 5));
  return performance.now() - startedMs;
}
async function sendSizes(...rids) {
  const parameters = video.sender.getParameters();
  for (const encoding of parameters.encodings) encoding.active = rids.includes(encoding.rid);
  await video.sender.setParameters(parameters);
}
async function look() {
  const seen = {};
  const report = await pc.getStats();
  for (const entry of report.values()) {
    // Pairs that were left for a better one stay nominated; only the pair in use has an estimate.
    if (entry.type === 'transport') {
      seen.estimateBps = report.get(entry.selectedCandidatePairId)?.availableOutgoingBitrate;
    }
    if (entry.type === 'outbound-rtp' && entry.kind === 'video') {
      Object.assign(seen, { width: entry.frameWidth, height: entry.frameHeight, targetBps: entry.targetBitrate });
    }
  }
  return seen;
}
Object.assign(globalThis, { publish, sendSizes, look });
`;

export const cameraPage = `<!doctype html><script>${cameraScript}</script>`;

/**
 * A page of the browser that publishes its camera to this server. It may use it there: its address is `localhost`.
 * @param path a page of it, whatever it shows
 */
export async function openCamera(
  browser: Browser, server: { url: string; path: string }, key: string, isSmallToo: boolean,
): Promise<Page> {
  const page = await browser.newPage();
  await page.addInitScript(cameraScript);
  await page.goto(`${server.url.replace('127.0.0.1', 'localhost')}${server.path}`);
  await page.evaluate(`publish(${isSmallToo}, '${key}')`);
  if (isSmallToo) await page.evaluate("sendSizes('f', 's')");
  return page;
}
