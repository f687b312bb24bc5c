/**
 * Makes the corpus of RTMP anew: what FFmpeg sends, message by message, with B-frames and AAC, and, where npm's
 * `node-av` is (`tests/interop/foreign.ts`), with Opus by Enhanced RTMP. The keys are `show`.
 *
 * Usage: node tests/fuzz/capture-rtmp.ts
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRtmpProtocol } from '@nacre/media/rtmp/protocol';
import { foreignFolder } from '../interop/foreign.ts';
import { runFfmpeg } from '../support/rtmp-stage.ts';
import { joinPackets } from './mutate.ts';

const corpus = join(import.meta.dirname, 'corpus', 'rtmp');
/** Connecting, key pictures, some others, sound and a goodbye; more only makes the repository larger. */
const keptMessages = 60;
const keptAtEnd = 3;
const source = ['-re', '-f', 'lavfi', '-i', 'testsrc2=s=96x160:r=15', '-re', '-f', 'lavfi', '-i', 'sine=r=44100', '-t',
  '3', '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-bf', '2', '-g', '15', '-b:v', '60k'];

async function capture(name: string, publish: (url: string) => Promise<unknown>): Promise<void> {
  const messages: Buffer[] = [];
  const server = createServer((socket) => {
    let open: number[] = [];
    let isWhole = false;
    const cut = (): void => {
      messages.push(Buffer.from(open));
      open = [];
    };
    const protocol = createRtmpProtocol({
      send: (bytes) => void socket.write(bytes),
      onPublish: () => protocol.accept(),
      onMedia: () => undefined,
      onGoodbye: () => undefined,
      admits: () => (isWhole = true),
    });
    let received = 0;
    socket.on('data', (bytes: Buffer) => {
      for (const byte of bytes) {
        open.push(byte);
        received += 1;
        isWhole = false;
        protocol.take(Buffer.from([byte]));
        // The two halves of the handshake (RTMP 1.0 §5.2.1), then messages.
        if (isWhole || received === 1_537 || received === 3_073) cut();
      }
    });
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await publish(`rtmp://127.0.0.1:${(server.address() as AddressInfo).port}/live/show`);
  server.close();
  const kept = joinPackets([...messages.slice(0, keptMessages), ...messages.slice(-keptAtEnd)]);
  mkdirSync(corpus, { recursive: true });
  writeFileSync(join(corpus, `${name}.bin`), kept);
  console.log(`${name}: ${messages.length} messages came, ${kept.length} bytes kept`);
}

await capture('ffmpeg', (url) => runFfmpeg([...source, '-c:a', 'aac', '-b:a', '32k', '-f', 'flv', url]));
const folder = foreignFolder('node-av');
if (folder !== null) {
  const scratch = mkdtempSync(join(tmpdir(), 'nacre-capture-'));
  const file = join(scratch, 'clip.mkv');
  await runFfmpeg([...source, '-c:a', 'libopus', '-b:a', '24k', file]);
  const program = join(import.meta.dirname, '../interop/ffmpeg-publisher.ts');
  await capture('ffmpeg-opus', (url) => new Promise((done) => {
    spawn(process.execPath, [program, folder, url, '', file, '4'], { stdio: 'ignore' }).once('exit', done);
  }));
  rmSync(scratch, { recursive: true });
}
