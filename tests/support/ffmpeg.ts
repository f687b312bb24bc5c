/** A second opinion on what came out, where the machine has FFmpeg. */
import { spawn } from 'node:child_process';

export interface Decoded {
  /** Pictures that were decoded. */
  pictures: number;
  /** FFmpeg's complaints; empty when there are none. */
  errors: string;
}

/** Decodes the picture of a file, or of what is at an address; null where there is no FFmpeg. */
export function decodeWithFfmpeg(file: Buffer | string): Promise<Decoded | null> {
  const input = typeof file === 'string' ? file : 'pipe:0';
  const args = ['-v', 'error', '-progress', 'pipe:1', '-i', input, '-map', '0:v', '-fps_mode', 'passthrough',
    '-enc_time_base', '-1', '-f', 'null', '-'];
  const child = spawn('ffmpeg', args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let [told, errors] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => { told += chunk; });
  child.stderr.on('data', (chunk: Buffer) => { errors += chunk; });
  // It may end before it has read everything; its own words say why.
  child.stdin.on('error', () => undefined);
  child.stdin.end(typeof file === 'string' ? '' : file);
  return new Promise((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', () => resolve({ pictures: Number(told.match(/frame=(\d+)/g)?.at(-1)?.slice(6) ?? 0), errors }));
  });
}

/** All packets of a file, in its order, decoding both picture and sound; null where there is no FFmpeg. */
export async function packetsWithFfmpeg(
  file: Buffer,
): Promise<{ packets: Array<{ codec: string; ms: number }>; errors: string } | null> {
  const entries = 'packet=stream_index,pts_time:stream=index,codec_name';
  const args = ['-v', 'error', '-show_entries', entries, '-of', 'json', '-'];
  const probed = await piped('ffprobe', args, file);
  const decoded = await piped('ffmpeg', ['-v', 'error', '-xerror', '-i', '-', '-f', 'null', '-'], file);
  if (probed === null || decoded === null) return null;
  const { packets, streams } = JSON.parse(probed.out) as {
    packets: Array<{ stream_index: number; pts_time: string }>; streams: Array<{ index: number; codec_name: string }>;
  };
  const codecOf = new Map(streams.map(({ index, codec_name }) => [index, codec_name]));
  return {
    packets: packets.map(({ stream_index, pts_time }) => (
      { codec: codecOf.get(stream_index) ?? '', ms: Number(pts_time) * 1_000 }
    )),
    errors: probed.errors + decoded.errors,
  };
}

function piped(program: string, args: string[], input: Buffer): Promise<{ out: string; errors: string } | null> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let [out, errors] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => { out += chunk; });
  child.stderr.on('data', (chunk: Buffer) => { errors += chunk; });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  return new Promise((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', () => resolve({ out, errors }));
  });
}
