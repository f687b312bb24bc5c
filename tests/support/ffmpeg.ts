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
