/**
 * What could go wrong with a show, found before it: https, camera, microphone, clock, the way of the picture, the speed
 * up, the server's disk. Each check ends within its bound and says one thing; `examine.*` has the sentences.
 */
import type { Examination } from '@nacre/contract/examination';
import { trialUploadBytesMax } from '@nacre/contract/examination';
import type { BroadcastView } from '#lib/broadcast/face.ts';
import { api, ask } from '#lib/api.ts';
import { canPublishBySocket } from '#lib/broadcast/socket-publication.ts';

export type CheckName = 'secure' | 'camera' | 'microphone' | 'clock' | 'connection' | 'upload' | 'disk';
export type Grade = 'fine' | 'warn' | 'bad';

export interface Finding {
  check: CheckName;
  grade: Grade;
  /** Which of the check's sentences. */
  word: string;
  /** Seconds, Mbit/s or hours, as the sentence wants it. */
  value?: number;
}

/** In the order in which they are shown. */
export const checkNames: readonly CheckName[] = [
  'secure', 'camera', 'microphone', 'connection', 'upload', 'clock', 'disk',
];

/** Below, a picture on a phone is seen to be soft. */
const fineLines = 480;
/** Orders and messages carry times to the second; more is seen as "in the future". */
const fineClockMs = 3_000;
/** A show needs 2.7 Mbit/s at full quality; with less in reserve every dip is seen. */
const fineUploadMbps = 4;
/** Below, the picture is so reduced that goods are not recognised. */
const badUploadMbps = 0.8;
const fineDiskHours = 4;
const badDiskHours = 1;
/** Connecting takes 0.1 s nearby and 2 s on a bad mobile network. */
const connectWithinMs = 8_000;
/** Of an upload; shorter measures the line's beginning only, longer is the person's time and mobile data. */
const uploadForMs = 4_000;
const uploadWithinMs = 8_000;
const uploadBytesMax = 8 * trialUploadBytesMax;
const firstPieceBytes = 64 * 1024;

/** What this device is asked, apart from the server. */
export function judgeDevice(view: BroadcastView, heard: boolean, isSecure: boolean): Finding[] {
  const settings = view.stream?.getVideoTracks()[0]?.getSettings();
  const lines = Math.min(settings?.width ?? 0, settings?.height ?? 0);
  const camera = !view.stream ? 'none' : lines < fineLines ? 'small' : 'fine';
  const sound = !view.stream || !view.hasMicrophone ? 'none' : !view.microphoneOn ? 'off' : heard ? 'fine' : 'silent';
  return [
    { check: 'secure', grade: isSecure ? 'fine' : 'bad', word: isSecure ? 'fine' : 'plain' },
    { check: 'camera', grade: camera === 'none' ? 'bad' : camera === 'small' ? 'warn' : 'fine', word: camera },
    { check: 'microphone', grade: sound === 'fine' ? 'fine' : 'warn', word: sound },
  ];
}

/** @param askedMs and @param answeredMs on this device's clock */
export function judgeClock(serverNow: string, askedMs: number, answeredMs: number): Finding {
  const offMs = (askedMs + answeredMs) / 2 - Date.parse(serverNow);
  const uncertainMs = (answeredMs - askedMs) / 2;
  if (Math.abs(offMs) <= fineClockMs + uncertainMs) return { check: 'clock', grade: 'fine', word: 'fine' };
  const value = Math.round(Math.abs(offMs) / 1_000);
  return { check: 'clock', grade: 'warn', word: offMs > 0 ? 'fast' : 'slow', value };
}

export function judgeUpload(bytes: number, tookMs: number): Finding {
  const value = tookMs > 0 ? (bytes * 8) / tookMs / 1_000 : 0;
  const grade = value >= fineUploadMbps ? 'fine' : value >= badUploadMbps ? 'warn' : 'bad';
  return { check: 'upload', grade, word: grade === 'fine' ? 'fine' : grade === 'warn' ? 'weak' : 'slow', value };
}

/** Null when the server cannot tell. */
export function judgeDisk(hours: number | null): Finding | null {
  if (hours === null) return null;
  const grade = hours >= fineDiskHours ? 'fine' : hours >= badDiskHours ? 'warn' : 'bad';
  return { check: 'disk', grade, word: grade === 'fine' ? 'fine' : 'little', value: hours };
}

const path = (showId: string) => ({ params: { path: { showId } } });

/** Runs all checks, the quick ones first, and tells each finding as it is there. Never throws. */
export async function examine(options: {
  showId: string;
  view: BroadcastView;
  heard: boolean;
  signal: AbortSignal;
  tell(finding: Finding): void;
}): Promise<void> {
  const { showId, signal, tell } = options;
  const say = (finding: Finding | null): void => {
    if (finding !== null && !signal.aborted) tell(finding);
  };
  judgeDevice(options.view, options.heard, isSecureContext).forEach(say);
  let known: Examination;
  try {
    const askedMs = Date.now();
    known = await ask(api.GET('/api/office/shows/{showId}/examination', { ...path(showId), signal }));
    say(judgeClock(known.now, askedMs, Date.now()));
    say(judgeDisk(known.diskHours));
  } catch {
    say({ check: 'connection', grade: 'bad', word: 'server' });
    return;
  }
  // One after the other: an upload in full swing would be in the connection's way.
  say(await tryConnections(showId, known.iceServers, signal));
  if (!signal.aborted) say(await tryUpload(showId, signal));
}

/** The straight way, then through TURN where there is one. */
async function tryConnections(
  showId: string, iceServers: Examination['iceServers'], signal: AbortSignal,
): Promise<Finding> {
  const straight = await tryConnection(showId, {}, signal);
  if (straight === 'connected') return { check: 'connection', grade: 'fine', word: 'fine' };
  if (straight === 'server') return { check: 'connection', grade: 'bad', word: 'server' };
  const relays = iceServers.map(({ url, username, credential }) => ({ urls: url, username, credential }));
  const relayed = relays.length === 0 ? 'blocked'
    : await tryConnection(showId, { iceServers: relays, iceTransportPolicy: 'relay' }, signal);
  if (relayed === 'connected') return { check: 'connection', grade: 'fine', word: 'relayed' };
  // The broadcaster then goes by socket, where the browser can: a show is possible, a little later and less steady.
  if (await canPublishBySocket()) return { check: 'connection', grade: 'warn', word: 'by_socket' };
  return { check: 'connection', grade: 'bad', word: relays.length === 0 ? 'blocked' : 'blocked_both' };
}

/** The whole way of a publication, without a picture and of no show: UDP out and in again. */
async function tryConnection(
  showId: string, configuration: RTCConfiguration, signal: AbortSignal,
): Promise<'connected' | 'blocked' | 'server'> {
  const connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle', ...configuration });
  try {
    connection.addTransceiver('video', { direction: 'sendonly' });
    await connection.setLocalDescription();
    const body = { sdp: connection.localDescription?.sdp ?? '' };
    const answer = await ask(api.POST('/api/office/shows/{showId}/examination/connection', {
      ...path(showId), body, signal: AbortSignal.any([signal, AbortSignal.timeout(connectWithinMs)]),
    })).catch(() => null);
    if (answer === null) return 'server';
    await connection.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
    return (await isConnected(connection, signal)) ? 'connected' : 'blocked';
  } catch {
    return 'blocked';
  } finally {
    connection.close();
  }
}

function isConnected(connection: RTCPeerConnection, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (isSo: boolean): void => {
      clearTimeout(timer);
      connection.onconnectionstatechange = null;
      resolve(isSo);
    };
    const timer = setTimeout(() => done(false), connectWithinMs);
    signal.addEventListener('abort', () => done(false), { once: true });
    connection.onconnectionstatechange = () => {
      if (connection.connectionState === 'connected') done(true);
      else if (connection.connectionState === 'failed') done(false);
    };
  });
}

/** Pieces that grow, until the time or the bytes are used up; the first only opens the line. */
async function tryUpload(showId: string, signal: AbortSignal): Promise<Finding> {
  const url = `/api/office/shows/${showId}/examination/upload`;
  const within = AbortSignal.any([signal, AbortSignal.timeout(uploadWithinMs)]);
  const send = async (bytes: number): Promise<void> => {
    const headers = { 'content-type': 'application/octet-stream' };
    const response = await fetch(url, { method: 'POST', headers, body: new Uint8Array(bytes), signal: within });
    if (!response.ok) throw new Error(`answered ${response.status}`);
  };
  let sent = 0;
  let startMs = performance.now();
  try {
    await send(firstPieceBytes);
    startMs = performance.now();
    for (let size = firstPieceBytes; sent < uploadBytesMax && performance.now() - startMs < uploadForMs;) {
      await send(size);
      sent += size;
      size = Math.min(size * 2, trialUploadBytesMax);
    }
  } catch {
    // What arrived until then tells how fast it was.
  }
  return judgeUpload(sent, performance.now() - startMs);
}
