/**
 * Reads a connection's statistics (W3C webrtc-stats): what goes out, how well it arrives, and whether the server still
 * hears us. It answers what we send with feedback 16 times a second, so silence while we send means something, long
 * before ICE would say so: first that the server should be asked, then loss.
 */
import type { BroadcastStats } from './face.ts';
import { fullRid } from './picture-sizes.ts';
import type { SmallPictureSample } from './small-picture.ts';

/**
 * Silence after which the server is asked whether it knows us still. Shorter asks at each hiccup, longer loses
 * picture.
 */
const doubtAfterMs = 500;
/** Silence that means loss. Shorter takes a Wi-Fi hiccup for one, longer shows viewers a frozen picture for longer. */
const lostAfterMs = 2_000;
/** The same, for a while after the network changed. */
const impatientAfterMs = 700;
const impatientForMs = 5_000;
/** So many packets must have gone out unanswered: a paused camera sends nothing and hears nothing. */
const unansweredPackets = 10;

const weakLossRatio = 0.05;
const weakRoundTripMs = 400;

export interface LinkMeter {
  read(report: RTCStatsReport, nowMs: number): void;
  inDoubt(): boolean;
  isLost(): boolean;
  beImpatient(nowMs: number): void;
  /** Its picture is the full one, whatever other size is sent beside it. */
  stats(): BroadcastStats;
  fullPicture(): Pick<SmallPictureSample, 'fullTargetBps' | 'pictures'>;
}

/** The members of all kinds of entries that are read here. */
interface Entry {
  type: string;
  id: string;
  kind?: string;
  selectedCandidatePairId?: string;
  nominated?: boolean;
  state?: string;
  packetsSent?: number;
  packetsReceived?: number;
  bytesSent?: number;
  currentRoundTripTime?: number;
  availableOutgoingBitrate?: number;
  fractionLost?: number;
  frameWidth?: number;
  frameHeight?: number;
  framesPerSecond?: number;
  qualityLimitationReason?: string;
  rid?: string;
  /** Of a `remote-inbound-rtp`: the `outbound-rtp` that it answers. */
  localId?: string;
  targetBitrate?: number;
  framesEncoded?: number;
  /** Seconds. */
  totalEncodeTime?: number;
  mediaSourceId?: string;
  /** Of a `media-source`. */
  frames?: number;
}

export function createLinkMeter(wishedBps: number): LinkMeter {
  let stats: BroadcastStats = {
    bitrateBps: 0,
    availableBps: null,
    roundTripMs: null,
    lossRatio: null,
    width: 0,
    height: 0,
    framesPerSecond: 0,
    limitedByCpu: false,
    backlogMs: 0,
    quality: 'good',
  };
  let fullTargetBps: number | null = null;
  let pictures: SmallPictureSample['pictures'] = null;
  let bytes = { count: 0, atMs: 0 };
  let heard = { packets: -1, atMs: 0, sentThen: 0 };
  let impatientUntilMs = 0;
  let silentMs = 0;
  let isLost = false;

  function readLink(pair: Entry, nowMs: number): void {
    const received = pair.packetsReceived ?? 0;
    const sent = pair.packetsSent ?? 0;
    if (received !== heard.packets) heard = { packets: received, atMs: nowMs, sentThen: sent };
    const limitMs = nowMs < impatientUntilMs ? impatientAfterMs : lostAfterMs;
    silentMs = sent - heard.sentThen > unansweredPackets ? nowMs - heard.atMs : 0;
    isLost = silentMs > limitMs;
    const sentBytes = pair.bytesSent ?? 0;
    if (bytes.atMs > 0 && nowMs > bytes.atMs) {
      stats.bitrateBps = Math.max(0, Math.round(((sentBytes - bytes.count) * 8000) / (nowMs - bytes.atMs)));
    }
    bytes = { count: sentBytes, atMs: nowMs };
    stats.availableBps = pair.availableOutgoingBitrate ?? null;
    stats.roundTripMs = pair.currentRoundTripTime === undefined ? null : pair.currentRoundTripTime * 1000;
  }

  function readFull(entries: readonly Entry[]): void {
    const sizes = entries.filter(({ type, kind }) => type === 'outbound-rtp' && kind === 'video');
    const full = sizes.find(({ rid }) => rid === undefined || rid === fullRid);
    if (!full) return;
    const answer = entries.find(({ type, localId }) => type === 'remote-inbound-rtp' && localId === full.id);
    const source = entries.find(({ id }) => id === full.mediaSourceId);
    stats.lossRatio = answer?.fractionLost ?? stats.lossRatio;
    stats.width = full.frameWidth ?? 0;
    stats.height = full.frameHeight ?? 0;
    stats.framesPerSecond = Math.round(full.framesPerSecond ?? 0);
    stats.limitedByCpu = full.qualityLimitationReason === 'cpu';
    fullTargetBps = full.targetBitrate ?? null;
    const [taken, made] = [source?.frames, full.framesEncoded];
    const encodeMs = full.totalEncodeTime === undefined ? null
      : sizes.reduce((sum, { totalEncodeTime = 0 }) => sum + totalEncodeTime * 1_000, 0);
    pictures = source && taken !== undefined && made !== undefined
      ? { source: source.id, taken, made, encodeMs } : null;
  }

  function quality(): BroadcastStats['quality'] {
    if (isLost) return 'lost';
    const isWeak =
      (stats.availableBps ?? wishedBps) < wishedBps / 2 ||
      (stats.lossRatio ?? 0) > weakLossRatio ||
      (stats.roundTripMs ?? 0) > weakRoundTripMs;
    return isWeak ? 'weak' : 'good';
  }

  return {
    read(report, nowMs) {
      stats = { ...stats };
      const entries = [...(report as unknown as ReadonlyMap<string, Entry>).values()];
      const selectedId = entries.find((entry) => entry.type === 'transport')?.selectedCandidatePairId;
      const pair = entries.find((entry) =>
        selectedId ? entry.id === selectedId : entry.type === 'candidate-pair' && entry.nominated === true,
      );
      if (pair) readLink(pair, nowMs);
      readFull(entries);
      stats.quality = quality();
    },
    inDoubt: () => silentMs > doubtAfterMs,
    isLost: () => isLost,
    beImpatient(nowMs) {
      impatientUntilMs = nowMs + impatientForMs;
    },
    stats: () => stats,
    fullPicture: () => ({ fullTargetBps, pictures }),
  };
}
