/**
 * FFmpeg's own WHIP muxer, or its RTMP (whose address ends with the key), through the npm package `node-av`, as a
 * process of its own: publishes a clip once, in real time. Its binary is large (170 MB) and GPL, so it belongs to
 * nobody's installation; who wants this test installs it.
 *
 * Usage: node tests/interop/ffmpeg-publisher.ts FOLDER_OF_NODE_AV URL KEY CLIP SECONDS
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

interface Packet {
  pts: bigint;
  timeBase: { num: number; den: number };
  streamIndex: number;
  free(): void;
}
interface Demuxer {
  streams: { index: number }[];
  packets(): AsyncIterable<Packet | null>;
}
interface NodeAv {
  Demuxer: { open(path: string): Promise<Demuxer> };
  Muxer: {
    open(url: string, options: object): Promise<{
      addStream(stream: { index: number }): number;
      writePacket(packet: Packet, index: number): Promise<void>;
      close(): Promise<void>;
    }>;
  };
}

const [folder = '', url = '', key = '', clip = '', seconds = '0'] = process.argv.slice(2);
const { Demuxer, Muxer } = createRequire(join(folder, 'package.json'))('node-av/api') as NodeAv;
const input = await Demuxer.open(clip);
const output = await Muxer.open(url, url.startsWith('rtmp:')
  ? { input, format: 'flv' } : { input, format: 'whip', options: { authorization: key } });
const places = new Map(input.streams.map((stream) => [stream.index, output.addStream(stream)]));
const startMs = performance.now();
for await (const packet of input.packets()) {
  const place = packet === null ? undefined : places.get(packet.streamIndex);
  if (packet === null || place === undefined) continue;
  const atMs = (Number(packet.pts) * packet.timeBase.num * 1000) / packet.timeBase.den;
  if (atMs > Number(seconds) * 1000) break;
  await sleep(Math.max(0, startMs + atMs - performance.now()));
  await output.writePacket(packet, place);
  packet.free();
}
await output.close();
process.exit(0);
