/**
 * Runs in both pages of `camera-to-eye.ts`: draws the time into a picture, reads it back, and sends it round a loop.
 *
 * The bar code: 24 columns at the top, black or white; 20 bits of the time in ms (17 minutes), then 4 bits of checksum.
 */
(() => {
  const width = 720;
  const height = 1280;
  const bits = 20;
  const columns = bits + 4;
  const barHeight = 64;
  const now = () => performance.timeOrigin + performance.now();
  const checksum = (code) => (code ^ (code >> 4) ^ (code >> 8) ^ (code >> 12) ^ (code >> 16)) & 15;
  let sender = null;

  /** A stream of moving shapes with enough noise in them to need the whole bitrate, and a tone. */
  function draw() {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const context = canvas.getContext('2d', { alpha: false });
    const grain = new ImageData(120, 120);
    const words = new Uint32Array(grain.data.buffer);
    let count = 0;
    const paint = () => {
      count += 1;
      context.fillStyle = `hsl(${count % 360} 40% 60%)`;
      context.fillRect(0, 0, width, height);
      for (let shape = 0; shape < 12; shape++) {
        context.fillStyle = `hsl(${shape * 30} 60% 45%)`;
        context.fillRect((count * (shape + 2)) % width, 120 + shape * 90, 140, 70);
      }
      for (let at = 0; at < words.length; at++) words[at] = 0xff000000 | (Math.random() * 0xffffff);
      context.putImageData(grain, 300, 700);
      const code = Math.floor(now()) % 2 ** bits;
      const whole = code * 16 + checksum(code);
      for (let column = 0; column < columns; column++) {
        context.fillStyle = Math.floor(whole / 2 ** column) % 2 ? '#fff' : '#000';
        context.fillRect((column * width) / columns, 0, width / columns, barHeight);
      }
    };
    paint();
    setInterval(paint, 1000 / 30);
    const stream = canvas.captureStream(30);
    const sound = new AudioContext();
    const out = sound.createMediaStreamDestination();
    const tone = sound.createOscillator();
    tone.connect(out);
    tone.start();
    for (const track of out.stream.getAudioTracks()) stream.addTrack(track);
    return stream;
  }

  /** Delays in ms of the pictures that the video shows within the time; pictures that cannot be read are left out. */
  function read(video, forMs) {
    const canvas = Object.assign(document.createElement('canvas'), { width: columns * 4, height: 4 });
    const context = canvas.getContext('2d', { willReadFrequently: true });
    const delays = [];
    const endMs = performance.now() + forMs;
    return new Promise((resolve) => {
      const look = (_now, frame) => {
        const shown = performance.timeOrigin + frame.expectedDisplayTime;
        context.drawImage(video, 0, 16, video.videoWidth, barHeight - 32, 0, 0, canvas.width, canvas.height);
        const { data } = context.getImageData(0, 2, canvas.width, 1);
        let whole = 0;
        for (let column = 0; column < columns; column++) {
          if (data[(column * 4 + 2) * 4] > 127) whole += 2 ** column;
        }
        const code = Math.floor(whole / 16);
        if (whole % 16 === checksum(code)) {
          const age = (Math.floor(shown) - code) % 2 ** bits;
          delays.push(age < 0 ? age + 2 ** bits : age);
        }
        if (performance.now() < endMs) video.requestVideoFrameCallback(look);
        else resolve(delays.filter((delay) => delay < 10_000));
      };
      video.requestVideoFrameCallback(look);
      setTimeout(() => resolve(delays), forMs + 2_000);
    });
  }

  /** The picture from one end of a WebRTC connection to the other, within this page. */
  async function loop(stream, video, maxBitrate) {
    const from = new RTCPeerConnection();
    const to = new RTCPeerConnection();
    from.onicecandidate = ({ candidate }) => to.addIceCandidate(candidate);
    to.onicecandidate = ({ candidate }) => from.addIceCandidate(candidate);
    const received = new MediaStream();
    to.ontrack = ({ track }) => {
      received.addTrack(track);
      video.srcObject = received;
      video.play();
    };
    for (const track of stream.getTracks()) {
      const isVideo = track.kind === 'video';
      const init = { direction: 'sendonly', sendEncodings: isVideo ? [{ maxBitrate }] : [{}] };
      const transceiver = from.addTransceiver(track, init);
      if (!isVideo) continue;
      const codecs = RTCRtpSender.getCapabilities('video').codecs;
      const wanted = codecs.filter(({ mimeType, sdpFmtpLine = '' }) =>
        /rtx$/i.test(mimeType) || /packetization-mode=1.*42e0/i.test(sdpFmtpLine));
      transceiver.setCodecPreferences(wanted);
      sender = transceiver.sender;
      const parameters = sender.getParameters();
      parameters.degradationPreference = 'maintain-resolution';
      await sender.setParameters(parameters);
    }
    await from.setLocalDescription();
    await to.setRemoteDescription(from.localDescription);
    await to.setLocalDescription();
    await from.setRemoteDescription(to.localDescription);
  }

  async function sentBytes() {
    const report = await sender.getStats();
    return [...report.values()].find((entry) => entry.type === 'outbound-rtp')?.bytesSent ?? 0;
  }

  globalThis.bench = { draw, read, loop, sentBytes };
})();
