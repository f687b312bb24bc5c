/**
 * The crowd of `viewers-per-core.ts`, in a process of its own: viewers by socket, by Low-Latency HLS, or bare readers.
 * Each checks what it gets: every picture in its order, nothing missing. Not a bench by itself.
 */
import { Agent, get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { readFragments } from '@nacre/media/fmp4/fragment-reader';
import { decodeLiveBinary, liveSubprotocol } from '@nacre/contract/live';

export interface CrowdReading {
  /** Of all viewers, headers included. */
  bytes: number;
  pictures: number;
  /** What was wrong, a few words each; empty when nothing was. */
  wrong: string[];
  /** What the first viewer got: when, by the process's clock, and how many bytes at once. */
  recording: [atMs: number, bytes: number][];
  joined: number;
}

const reading: CrowdReading = { bytes: 0, pictures: 0, wrong: [], recording: [], joined: 0 };
const maxWrong = 20;
const headBytes = 64;

function complain(what: string): void {
  if (reading.wrong.length < maxWrong) reading.wrong.push(what);
}

/** Says when a picture does not begin where the one before it ended. */
function createOrder(name: string): (timeMs: number, durationMs: number) => void {
  let endMs: number | null = null;
  return (timeMs, durationMs) => {
    reading.pictures += 1;
    if (endMs !== null && Math.abs(endMs - timeMs) > 1.5) complain(`${name}: ${timeMs} ms after ${endMs} ms`);
    endMs = timeMs + durationMs;
  };
}

/** A viewer's socket without `ws`, which would cost the machine more than the server does: reads frames' heads only. */
function watchBySocket(url: URL, index: number): void {
  const socket = connect(Number(url.port), url.hostname);
  const order = createOrder(`viewer ${index}`);
  let waiting = Buffer.alloc(0);
  let isOpen = false;
  socket.write([
    `GET ${url.pathname} HTTP/1.1`, `Host: ${url.host}`, 'Connection: Upgrade', 'Upgrade: websocket',
    'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    `Sec-WebSocket-Protocol: ${liveSubprotocol}`, '', '',
  ].join('\r\n'));
  // Of a frame's body only the head is kept; `skip` counts the rest.
  let [skip, frameBytes] = [0, 0];
  socket.on('data', (chunk) => {
    reading.bytes += chunk.length;
    let at = Math.min(skip, chunk.length);
    skip -= at;
    while (at < chunk.length || waiting.length > 0) {
      const bytes = waiting.length === 0 ? chunk.subarray(at) : Buffer.concat([waiting, chunk.subarray(at)]);
      at = chunk.length;
      if (!isOpen) {
        const end = bytes.indexOf('\r\n\r\n');
        waiting = end === -1 ? bytes : bytes.subarray(end + 4);
        if (end === -1) return;
        isOpen = true;
        reading.joined += 1;
        continue;
      }
      const [length, header] = frameLength(bytes);
      if (length === null || bytes.length < Math.min(header + length, header + headBytes)) {
        waiting = bytes;
        return;
      }
      frameBytes = header + length;
      if (index === 0) reading.recording.push([performance.now(), frameBytes]);
      if (bytes[0] === 0x82) readHead(bytes.subarray(header, header + Math.min(length, headBytes)), order);
      else if (bytes[0] !== 0x81 && bytes[0] !== 0x89) complain(`viewer ${index}: no frame`);
      waiting = bytes.subarray(Math.min(frameBytes, bytes.length));
      skip = Math.max(0, frameBytes - bytes.length);
    }
  });
  leaveOnEnd(socket, `viewer ${index}`);
}

/** RFC 6455 §5.2; the length is null while it is not there yet. */
function frameLength(bytes: Buffer): [length: number | null, header: number] {
  const short = bytes[1] ?? 0;
  const header = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < header) return [null, header];
  if (short < 126) return [short, header];
  return [short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2)), header];
}

function readHead(head: Buffer, order: (timeMs: number, durationMs: number) => void): void {
  const decoded = decodeLiveBinary(new Uint8Array(head).buffer);
  if (decoded?.kind === 'fragment' && decoded.hasVideo) order(decoded.timeMs, decoded.durationMs);
}

function leaveOnEnd(socket: Socket, name: string): void {
  socket.on('error', (error) => complain(`${name}: ${error.message}`));
  socket.on('close', () => complain(`${name}: closed`));
}

function readBare(url: URL): void {
  const socket = connect(Number(url.port), url.hostname);
  socket.on('connect', () => (reading.joined += 1));
  socket.on('data', (chunk) => (reading.bytes += chunk.length));
  socket.on('error', () => undefined);
}

function fetchBytes(agent: Agent, url: string): Promise<{ status: number; body: Buffer; bytes: number }> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const body = Buffer.concat(chunks);
        const headers = response.rawHeaders.reduce((sum, text) => sum + text.length + 2, 17);
        resolve({ status: response.statusCode ?? 0, body, bytes: headers + body.length });
      });
    }).on('error', reject);
  });
}

/** As players do: asks for the next playlist, which waits, then for the parts that it has not got yet. */
async function watchByHls(base: string, index: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  const order = createOrder(`viewer ${index}`);
  const note = (bytes: number): void => {
    reading.bytes += bytes;
    if (index === 0) reading.recording.push([performance.now(), bytes]);
  };
  let [query, lastPart] = ['', -1];
  for (;;) {
    const list = await fetchBytes(agent, `${base}/media.m3u8${query}`);
    note(list.bytes);
    if (list.status !== 200) return complain(`viewer ${index}: playlist ${list.status}`);
    const text = list.body.toString();
    const sequence = Number(/^#EXT-X-MEDIA-SEQUENCE:(\d+)$/m.exec(text)?.[1]);
    const whole = text.match(/^#EXTINF:/gm)?.length ?? 0;
    const growing = text.slice(text.lastIndexOf('#EXTINF:') + 1).match(/^#EXT-X-PART:/gm)?.length ?? 0;
    query = `?_HLS_msn=${sequence + whole}&_HLS_part=${growing}`;
    const parts = [...text.matchAll(/^#EXT-X-PART:.*URI="(\d+)\.part\.m4s"/gm)].map(([, number]) => Number(number));
    if (lastPart === -1) {
      lastPart = parts.at(-1) ?? -1;
      reading.joined += 1;
    }
    for (const part of parts.filter((number) => number > lastPart)) {
      const file = await fetchBytes(agent, `${base}/${part}.part.m4s`);
      note(file.bytes);
      if (file.status !== 200) return complain(`viewer ${index}: part ${file.status}`);
      for (const fragment of readFragments(file.body)) {
        if (fragment.track === 'video') order(fragment.timeMs, fragment.durationMs);
      }
      lastPart = part;
    }
  }
}

const [kind = '', address = '', count = '0'] = process.argv.slice(2);
process.on('disconnect', () => process.exit(0));
process.on('message', () => {
  process.send?.(reading);
  reading.recording = [];
});
for (let index = 0; index < Number(count); index += 1) {
  if (kind === 'socket') watchBySocket(new URL(address), index);
  else if (kind === 'hls') void watchByHls(address, index).catch((error: unknown) => complain(String(error)));
  else readBare(new URL(address));
}
