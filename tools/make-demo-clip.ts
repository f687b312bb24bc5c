/**
 * Draws the demo show's clip, `server/demo/show.mp4`, from our own art: a host who talks and shows a dress in three
 * colours, with a little music. For developers only: wants Chromium and ffmpeg with libx264 and libopus.
 *
 * `node tools/make-demo-clip.ts [--frames DIR]`: with a folder, also leaves every 25th picture there to look at.
 *
 * What the publisher wants of a clip: H.264 baseline without B-frames, a key picture every 2 s, Opus in frames of
 * 20 ms, and a loop without a seam, so everything that moves is a function of the loop's phase.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { findChromium } from '../tests/support/chromium.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = join(root, 'server/demo/show.mp4');
const seconds = 12;
const framesPerSecond = 25;
const width = 720;
const height = 1280;
const sampleRate = 48_000;
/** The clip is committed and downloaded with every clone. */
const maxClipBytes = 2_000_000;

/** Runs in the page: moves the drawing to phase 0…1 of the loop. Whole cycles only: the end meets the beginning. */
const animation = `
const svg = document.querySelector('svg');
const groups = [...svg.children];
const heads = groups.filter((g) => g.getAttribute('transform') === 'translate(208 352) scale(1.12)');
const dress = groups.find((g) => g.getAttribute('transform') === 'translate(220 316) scale(1.42)');
const hands = groups.filter((g) => /^translate\\((380 306|312 648)\\)/.test(g.getAttribute('transform') ?? ''));
const isArm = (path) => /^M(318 470|100 500|270 668|128 662)/.test(path.getAttribute('d') ?? '');
const arms = groups.filter((g) => g.tagName === 'path' && isArm(g));
const mouth = heads.flatMap((g) => [...g.children]).find((p) => p.getAttribute('fill') === '#b9443a');
const brows = heads.flatMap((g) => [...g.children]).find((p) => p.getAttribute('stroke') === '#4a332c');
const light = groups.find((g) => g.tagName === 'ellipse');
const backdrop = groups.find((g) => g.tagName === 'g' && g.getAttribute('filter'));
const stops = svg.querySelectorAll('#d stop');
const roles = new Map();
for (const path of dress.querySelectorAll('[fill],[stroke]')) {
  for (const name of ['fill', 'stroke']) {
    const value = path.getAttribute(name);
    if (['#9c3424', '#b64535', '#ffc2b0'].includes(value)) roles.set(path, { name, value });
  }
}
const rest = new Map([...heads, dress, ...hands].map((g) => [g, g.getAttribute('transform')]));
const palettes = [
  { top: '#f0907a', low: '#cf5a44', '#9c3424': '#9c3424', '#b64535': '#b64535', '#ffc2b0': '#ffc2b0' },
  { top: '#53657f', low: '#2b3550', '#9c3424': '#182033', '#b64535': '#c39a5c', '#ffc2b0': '#9db0cc' },
  { top: '#b7c7ab', low: '#8aa384', '#9c3424': '#5d7a5c', '#b64535': '#6d8a6b', '#ffc2b0': '#e6efdd' },
];
const mix = (a, b, k) => '#' + [1, 3, 5].map((i) => Math.round(parseInt(a.slice(i, i + 2), 16) * (1 - k)
  + parseInt(b.slice(i, i + 2), 16) * k).toString(16).padStart(2, '0')).join('');
const specks = [];
const ns = 'http://www.w3.org/2000/svg';
for (let i = 0; i < 14; i += 1) {
  const speck = document.createElementNS(ns, 'circle');
  speck.setAttribute('r', String(1.6 + (i % 4) * 0.9));
  speck.setAttribute('fill', '#fff6e6');
  svg.insertBefore(speck, svg.lastElementChild);
  specks.push({ speck, x: (i * 173) % 540, y: (i * 311) % 960, lap: 1 + (i % 2) });
}
const wave = (phase, cycles, shift = 0) => Math.sin(2 * Math.PI * (phase * cycles + shift));
window.show = (phase) => {
  const place = phase * palettes.length;
  const from = palettes[Math.floor(place) % palettes.length];
  const to = palettes[(Math.floor(place) + 1) % palettes.length];
  const into = Math.min(1, Math.max(0, ((place % 1) - 0.78) / 0.22));
  const k = into * into * (3 - 2 * into);
  stops[0].setAttribute('stop-color', mix(from.top, to.top, k));
  stops[1].setAttribute('stop-color', mix(from.low, to.low, k));
  for (const [path, { name, value }] of roles) path.setAttribute(name, mix(from[value], to[value], k));
  const turn = 2.6 * wave(phase, 3) + 1.1 * wave(phase, 7, 0.2);
  const nod = 3.2 * wave(phase, 6, 0.1) + 1.4 * wave(phase, 11);
  for (const head of heads) {
    const bow = 'translate(' + 2.4 * wave(phase, 3) + ' ' + nod + ') rotate(' + turn + ' 208 430) ';
    head.setAttribute('transform', bow + rest.get(head));
  }
  const talk = Math.abs(wave(phase, 23)) * (0.55 + 0.45 * wave(phase, 5, 0.3)) + 0.25 * Math.abs(wave(phase, 37));
  mouth.setAttribute('transform', 'translate(0 ' + (34 - 34 * (0.75 + talk)) + ') scale(1 ' + (0.75 + talk) + ')');
  brows.setAttribute('transform', 'translate(0 ' + -3 * Math.max(0, wave(phase, 5, 0.4)) + ')');
  const swing = 3.4 * wave(phase, 4, 0.15) + 5 * Math.sin(Math.PI * into);
  const lift = -6 + 6 * wave(phase, 2, 0.1);
  dress.setAttribute('transform', 'translate(0 ' + lift + ') rotate(' + swing + ' 380 300) ' + rest.get(dress));
  hands[0].setAttribute('transform', 'translate(0 ' + lift + ') ' + rest.get(hands[0]));
  const stroke = 7 * wave(phase, 4, 0.4);
  hands[1].setAttribute('transform', 'translate(' + stroke + ' ' + stroke * 0.6 + ') ' + rest.get(hands[1]));
  for (const arm of arms) {
    const isUpper = arm.getAttribute('d').startsWith('M318');
    const way = isUpper ? '0 ' + lift * 0.5 : stroke * 0.7 + ' ' + stroke * 0.4;
    arm.setAttribute('transform', 'translate(' + way + ')');
  }
  light.setAttribute('transform', 'translate(' + (120 + 150 * wave(phase, 1)) + ' ' + 40 * wave(phase, 1, 0.25) + ')');
  backdrop.setAttribute('transform', 'translate(' + 5 * wave(phase, 1, 0.1) + ' 0)');
  for (const { speck, x, y, lap } of specks) {
    speck.setAttribute('cx', String((x + 26 * wave(phase, lap, y / 960) + 540) % 540));
    speck.setAttribute('cy', String((y - lap * 960 * phase + 1920) % 960));
    speck.setAttribute('opacity', String(0.22 + 0.2 * wave(phase, 3 + lap, x / 540)));
  }
  const zoom = 1.035 + 0.02 * wave(phase, 1, 0.6);
  svg.style.transform = 'translate(' + 6 * wave(phase, 2) + 'px,' + 5 * wave(phase, 1, 0.3) + 'px) scale(' + zoom + ')';
};
`;

/** A plucked tone in one channel pair; tails run over the loop's end into its beginning. */
function pluck(samples: Float64Array, startSecond: number, hertz: number, gain: number, pan: number): void {
  const frames = samples.length / 2;
  const length = Math.floor(2.6 * sampleRate);
  const first = Math.floor(startSecond * sampleRate);
  for (let index = 0; index < length; index += 1) {
    const time = index / sampleRate;
    const attack = Math.min(1, time / 0.008);
    const fade = Math.exp(-time * 2.4) * attack * Math.min(1, (length - index) / 4800);
    const tone =
      Math.sin(2 * Math.PI * hertz * time) +
      0.35 * Math.sin(4 * Math.PI * hertz * time) * Math.exp(-time * 5) +
      0.12 * Math.sin(6 * Math.PI * hertz * time) * Math.exp(-time * 9);
    const at = ((first + index) % frames) * 2;
    samples[at]! += tone * fade * gain * (1 - pan);
    samples[at + 1]! += tone * fade * gain * pan;
  }
}

/** A quiet tune over slow chords, 16-bit stereo WAV. */
function music(): Buffer {
  const samples = new Float64Array(seconds * sampleRate * 2);
  const frames = samples.length / 2;
  const chords = [
    [220, 277.18, 329.63],
    [185, 220, 277.18],
    [146.83, 185, 220],
    [164.81, 207.65, 246.94],
  ];
  const tune = [659.26, 554.37, 493.88, 440, 554.37, 659.26, 739.99, 659.26, 587.33, 554.37, 493.88, 554.37];
  const chordSeconds = seconds / chords.length;
  for (let frame = 0; frame < frames; frame += 1) {
    const time = frame / sampleRate;
    const place = time / chordSeconds;
    const chord = chords[Math.floor(place)]!;
    const swell = Math.sin(Math.PI * (place % 1)) ** 0.7;
    chord.forEach((hertz, voice) => {
      const tone = Math.sin(2 * Math.PI * hertz * (time % chordSeconds)) * swell * 0.05;
      samples[frame * 2]! += tone * (voice === 0 ? 1.1 : 0.9);
      samples[frame * 2 + 1]! += tone * (voice === 2 ? 1.1 : 0.9);
    });
  }
  const beat = seconds / tune.length;
  tune.forEach((hertz, index) => {
    pluck(samples, index * beat, hertz, 0.16, 0.42);
    if (index % 3 === 1) pluck(samples, (index + 0.5) * beat, hertz * 1.5, 0.07, 0.7);
    if (index % 3 === 0) pluck(samples, index * beat, chords[Math.floor(index / 3)]![0]! / 2, 0.2, 0.5);
  });
  const data = Buffer.alloc(samples.length * 2);
  samples.forEach((value, index) => data.writeInt16LE(Math.round(Math.tanh(value) * 32_000), index * 2));
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + data.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(2, 22);
  head.writeUInt32LE(sampleRate, 24);
  head.writeUInt32LE(sampleRate * 4, 28);
  head.writeUInt16LE(4, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(data.length, 40);
  return Buffer.concat([head, data]);
}

/** Takes JPEG pictures on standard input. */
function encoderArguments(wav: string): string[] {
  const picture = ['-f', 'image2pipe', '-c:v', 'mjpeg', '-framerate', String(framesPerSecond), '-i', '-'];
  const gop = framesPerSecond * 2;
  return [
    ['-v', 'error', '-y', ...picture, '-i', wav, '-map', '0:v', '-map', '1:a', '-t', String(seconds)],
    ['-c:v', 'libx264', '-profile:v', 'baseline', '-level', '3.1', '-pix_fmt', 'yuv420p', '-preset', 'veryslow'],
    ['-bf', '0', '-g', String(gop), '-keyint_min', String(gop), '-sc_threshold', '0', '-tune', 'animation'],
    ['-crf', '24', '-maxrate', '1150k', '-bufsize', '1150k', '-color_range', 'tv', '-vf', 'scale=out_range=tv'],
    ['-c:a', 'libopus', '-b:a', '64k', '-frame_duration', '20', '-ac', '2', '-movflags', '+faststart', target],
  ].flat();
}

async function draw(wav: string, framesFolder: string | undefined): Promise<void> {
  const art = readFileSync(join(root, 'server/demo/art/scene-dress.svg'), 'utf8');
  const executablePath = findChromium();
  if (executablePath === null) throw new Error('Drawing the clip wants Chromium; install it first.');
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    const page = await browser.newPage({ viewport: { width, height } });
    const style = 'html,body{margin:0;overflow:hidden;background:#d9c2ac}svg{display:block;width:100vw;height:100vh}';
    await page.setContent(`<style>${style}</style>${art}<script>${animation}</script>`);
    const encoder = spawn('ffmpeg', encoderArguments(wav), { stdio: ['pipe', 'inherit', 'inherit'] });
    const ended = once(encoder, 'exit') as Promise<[number | null]>;
    for (let frame = 0; frame < seconds * framesPerSecond; frame += 1) {
      await page.evaluate(`show(${frame / (seconds * framesPerSecond)})`);
      const picture = await page.screenshot({ type: 'jpeg', quality: 96 });
      if (framesFolder !== undefined && frame % 25 === 0) writeFileSync(join(framesFolder, `${frame}.jpg`), picture);
      if (!encoder.stdin.write(picture)) await once(encoder.stdin, 'drain');
    }
    encoder.stdin.end();
    const [code] = await ended;
    if (code !== 0) throw new Error(`ffmpeg ended with ${code}`);
  } finally {
    await browser.close();
  }
}

const { values } = parseArgs({ options: { frames: { type: 'string' } } });
if (values.frames !== undefined) mkdirSync(values.frames, { recursive: true });
const folder = mkdtempSync(join(tmpdir(), 'nacre-clip-'));
try {
  const wav = join(folder, 'music.wav');
  writeFileSync(wav, music());
  await draw(wav, values.frames);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const { size } = statSync(target);
if (size > maxClipBytes) throw new Error(`The clip has ${size} bytes; more than ${maxClipBytes} are not committed.`);
process.stdout.write(`${target}: ${size} bytes\n`);
