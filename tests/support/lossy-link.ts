/**
 * A bad network between a publisher and the media process: it loses, delays, reorders and narrows UDP packets, can be
 * cut, and can give the publisher another port, as a router does that has forgotten it.
 *
 * What happens to a packet comes from one seeded source of chance, in both directions. Times are those of the machine:
 * a seed repeats which packets suffer, not to the millisecond when.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { createChance, type Chance } from '../simulation/world.ts';

/** Each holds for both directions. */
export interface Weather {
  /** Share of packets that are lost, 0 to 1. */
  loss?: number;
  /** Of each packet. */
  delayMs?: number;
  /** On top, at random from 0 up to this: packets overtake each other. */
  jitterMs?: number;
  /** Bits per second; what comes faster waits, and is lost when the line's queue is full. */
  rateBps?: number;
}

export interface LinkCounts {
  /** Packets that came to the link from either side. */
  came: number;
  /** Of those from the publisher, the ones that went on to the media process. */
  forwarded: number;
  lost: number;
  /** Of those, because the line's queue was full. */
  crowdedOut: number;
}

export interface LossyLink {
  /** On 127.0.0.1; publishers send here instead of to the media process. */
  port: number;
  counts(): LinkCounts;
  setWeather(weather: Weather): void;
  /** Nothing passes any more, in either direction; what is on the way is lost too. */
  cut(): void;
  /** Passes again; towards the server from new ports, as after a network that was away. */
  mend(): void;
  /** From now on packets reach the server from another port. */
  rebind(): void;
  stop(): void;
}

const host = '127.0.0.1';
/** A line's queue, as at a mobile network's edge. Shorter loses bursts of a key picture; longer is all delay. */
const queueMs = 300;
/** Of IPv4 and UDP. */
const headerBytes = 28;

export async function openLossyLink(options: {
  serverPort: number;
  seed: number;
  weather?: Weather;
}): Promise<LossyLink> {
  const chance = createChance(options.seed);
  const counts: LinkCounts = { came: 0, forwarded: 0, lost: 0, crowdedOut: 0 };
  const front = createSocket('udp4');
  const ways = new Map<string, Socket>();
  let weather = options.weather ?? {};
  let isCut = false;
  let cuts = 0;

  const pass = (line: { freeAtMs: number }, bytes: number, deliver: () => void): void => {
    if (isCut) return;
    counts.came += 1;
    const waitMs = waitOf(weather, line, bytes, chance);
    if (waitMs === 'lost' || waitMs === 'crowded out') {
      counts.lost += 1;
      if (waitMs === 'crowded out') counts.crowdedOut += 1;
      return;
    }
    const cutsBefore = cuts;
    if (waitMs < 1) deliver();
    else setTimeout(() => cuts === cutsBefore && deliver(), waitMs);
  };
  const closeWays = (): void => {
    for (const way of ways.values()) way.close();
    ways.clear();
  };
  const [up, down] = [{ freeAtMs: 0 }, { freeAtMs: 0 }];
  const wayOf = (publisher: RemoteInfo): Socket => {
    const name = `${publisher.address}:${publisher.port}`;
    const known = ways.get(name);
    if (known !== undefined) return known;
    const way = createSocket('udp4');
    way.on('message', (packet) => {
      pass(down, packet.length, () => front.send(packet, publisher.port, publisher.address));
    });
    ways.set(name, way);
    return way;
  };
  front.on('message', (packet, publisher) => {
    pass(up, packet.length, () => {
      counts.forwarded += 1;
      wayOf(publisher).send(packet, options.serverPort, host);
    });
  });
  await new Promise<void>((resolve) => front.bind(0, host, resolve));

  const cut = (): void => {
    isCut = true;
    cuts += 1;
    closeWays();
  };
  return {
    port: front.address().port,
    counts: () => ({ ...counts }),
    setWeather(next) {
      weather = next;
    },
    cut,
    mend() {
      isCut = false;
    },
    rebind: closeWays,
    stop() {
      cut();
      front.close();
    },
  };
}

/** How long a packet takes through the line from now on, in ms, or why it does not come. */
function waitOf(
  weather: Weather, line: { freeAtMs: number }, bytes: number, chance: Chance,
): number | 'lost' | 'crowded out' {
  const { delayMs = 0, jitterMs = 0, loss = 0, rateBps } = weather;
  // Both are drawn for every packet, so that a seed hits the same packets whatever the rest of the weather.
  const [fate, share] = [chance.next(), chance.next()];
  if (fate < loss) return 'lost';
  const waitMs = delayMs + share * jitterMs;
  if (rateBps === undefined) return waitMs;
  const nowMs = performance.now();
  const startMs = Math.max(nowMs, line.freeAtMs);
  if (startMs - nowMs > queueMs) return 'crowded out';
  line.freeAtMs = startMs + ((bytes + headerBytes) * 8000) / rateBps;
  return waitMs + line.freeAtMs - nowMs;
}
