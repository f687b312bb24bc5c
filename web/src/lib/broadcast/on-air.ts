/**
 * Getting on air and staying there: a publication that is made anew whenever it is lost, by the direct way or, where a
 * network blocks it, by socket; and back to the direct way when it works again, without a gap.
 */
import { sendPicture } from './capture.ts';
import { change, fail, fullShape, type Core } from './core.ts';
import { publish, type Publication, type PublicationOptions } from './publication.ts';
import { PublishFailure } from './publish-failure.ts';
import { canPublishBySocket, publishBySocket } from './socket-publication.ts';
import { rememberBlocked } from './remembered-ways.ts';
import type { Way } from './ways.ts';

const defaultGiveUpAfterMs = 15_000;

/** Pauses between attempts: the first comes at once, then doubling. A longer one alone is half of what may be lost. */
const firstPauseMs = 250;
const longestPauseMs = 1_000;
const lookForDirectEveryMs = 1_000;
/** The server replaces the socket within a round trip of the direct way's being connected. */
const replacedWithinMs = 2_000;

export async function air(core: Core): Promise<void> {
  const wanted = new AbortController();
  core.wanted = wanted;
  change(core, { state: 'connecting', reason: null, detail: null });
  const giveUpAtMs = performance.now() + (core.options.giveUpAfterMs ?? defaultGiveUpAfterMs);
  await attempt(core, wanted, giveUpAtMs);
}

/** The connection was lost, or (`old` null) the page was away. */
export async function reconnect(core: Core, old: Publication | null): Promise<void> {
  const { wanted } = core;
  if (!wanted) return;
  core.publication = null;
  change(core, { state: 'reconnecting', reason: null, detail: null, stats: null });
  // Otherwise two devices with one key would take the show from each other for ever.
  if (old && (await old.wasReplaced())) {
    if (core.wanted === wanted) fail(core, 'replaced');
    return;
  }
  await attempt(core, wanted, Infinity);
}

function lost(core: Core, publication: Publication | null): void {
  if (core.publication !== publication) return;
  // Perhaps because the one that is being made has taken its place already.
  if (core.returning) core.returning.lose();
  else void reconnect(core, publication);
}

async function attempt(core: Core, wanted: AbortController, giveUpAtMs: number): Promise<void> {
  for (let failures = 0; core.wanted === wanted; failures++) {
    const way = await nextWay(core);
    if (core.wanted !== wanted) return;
    // What was asked over a network that is gone may wait for its answer for long.
    const restarted = new AbortController();
    core.restart = () => restarted.abort();
    try {
      await goOnAir(core, wanted, way, AbortSignal.any([wanted.signal, restarted.signal]));
      return;
    } catch (error) {
      if (core.wanted !== wanted) return;
      if (restarted.signal.aborted) continue;
      const failure = error instanceof PublishFailure ? error : new PublishFailure('refused', false, String(error));
      note(core, way, failure);
      if (way === 'direct' && failure.reason === 'media-blocked' && (await nextWay(core)) === 'socket') continue;
      if (!failure.mayRetry || performance.now() > giveUpAtMs) return fail(core, failure.reason, failure.message);
      change(core, { reason: failure.reason });
    }
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** failures) * (0.75 + Math.random() / 4);
    await new Promise<void>((resolve) => {
      core.hurry = resolve;
      setTimeout(resolve, pauseMs);
    });
  }
}

async function nextWay(core: Core): Promise<Way> {
  const isPossible = core.options.socketUrl !== undefined && (await canPublishBySocket());
  return isPossible ? core.ways.next(Date.now()) : 'direct';
}

/** What a failure says of the way that was tried. */
function note(core: Core, way: Way, failure: PublishFailure): void {
  // Without a network nothing is learnt of either way.
  if (way === 'socket' && navigator.onLine) core.ways.socketFailed();
  else if (way === 'direct' && failure.reason === 'media-blocked') core.ways.directBlocked(Date.now());
  rememberBlocked(core.ways.blockedUntilMs());
}

async function streamKeyOf(core: Core): Promise<string> {
  try {
    return await core.options.streamKey();
  } catch (error) {
    if (error instanceof PublishFailure) throw error;
    throw new PublishFailure('server-unreachable', true, String(error));
  }
}

async function goOnAir(core: Core, wanted: AbortController, way: Way, signal: AbortSignal): Promise<void> {
  const { stream } = core.view;
  if (!stream) throw new PublishFailure('no-camera', false);
  const publication = await open(core, way, stream, signal);
  if (core.wanted !== wanted) return publication.end(true);
  core.publication = publication;
  if (way === 'direct') worksDirectly(core);
  else core.ways.socketWorks();
  await sendWhatThereIs(core, publication, stream);
  change(core, { state: 'live', reason: null, detail: null, way, stats: publication.stats() });
}

async function open(core: Core, way: Way, stream: MediaStream, signal: AbortSignal): Promise<Publication> {
  const shape = fullShape(core);
  let publication: Publication | null = null;
  const options: PublicationOptions = {
    whipUrl: core.options.whipUrl,
    streamKey: await streamKeyOf(core),
    stream,
    maxBitrateBps: shape.bitrateBps,
    signal,
    onLost: () => lost(core, publication),
  };
  const { socketUrl } = core.options;
  const isBySocket = way === 'socket' && socketUrl !== undefined;
  publication = await (isBySocket ? publishBySocket({ ...options, socketUrl, shape }) : publish(options));
  return publication;
}

async function sendWhatThereIs(core: Core, publication: Publication, opened: MediaStream): Promise<void> {
  // Devices may have been changed while the offer was on its way.
  if (core.view.stream !== opened) {
    for (const track of core.view.stream?.getTracks() ?? []) await publication.replaceTrack(track);
  }
  core.pause?.stop();
  core.pause = null;
  await sendPicture(core);
}

function worksDirectly(core: Core): void {
  core.ways.directWorks();
  rememberBlocked(0);
}

/** While on air by socket the direct way is tried now and then. Returns the way out. */
export function watchWays(core: Core): () => void {
  const timer = setInterval(() => {
    const isBySocket = core.view.state === 'live' && core.publication?.way === 'socket';
    if (isBySocket && !core.returning && core.ways.isDirectDue(Date.now())) void goDirect(core);
  }, lookForDirectEveryMs);
  return () => clearInterval(timer);
}

/** The socket goes on until the direct way is connected: viewers notice nothing. */
async function goDirect(core: Core): Promise<void> {
  const { wanted, publication: old } = core;
  const { stream } = core.view;
  if (!wanted || !old || !stream) return;
  let isLost = false;
  const replaced = new Promise<void>((resolve) => {
    const lose = (): void => {
      isLost = true;
      resolve();
    };
    core.returning = { lose };
  });
  try {
    const fresh = await open(core, 'direct', stream, wanted.signal);
    // Closed before the server has seen the other one, it would be taken for a lost publisher.
    await Promise.race([replaced, new Promise((done) => setTimeout(done, replacedWithinMs))]);
    if (core.wanted !== wanted) return fresh.end(true);
    core.publication = fresh;
    old.end(false);
    worksDirectly(core);
    await sendWhatThereIs(core, fresh, stream);
    change(core, { way: 'direct', stats: fresh.stats() });
  } catch {
    core.ways.directBlocked(Date.now());
    if (core.wanted === wanted && isLost) void reconnect(core, null);
  } finally {
    core.returning = null;
  }
}
