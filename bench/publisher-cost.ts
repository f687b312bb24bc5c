/**
 * What one publisher costs the media process: the share of a core for each of 20, at 2 Mbit/s, 25 pictures a second.
 *
 * Publishers replay RTP from processes of their own, which are not counted. Counted is the media process alone: WebRTC,
 * RTP, feedback, fMP4 and the pipe. The limit is the same packets through bare node-datachannel: received, decrypted,
 * handed to JavaScript and dropped. Rounds of both alternate.
 *
 * Usage: node bench/publisher-cost.ts [--json] [--rounds N] [--publishers N] [--seconds N]
 */
import { fork, type ChildProcess } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildAnswer } from '@nacre/media/whip/answer';
import { parseOffer } from '@nacre/media/whip/offer';
import { createTransport, type TransportPeer } from '@nacre/media/whip/transport';
import { startPublisher } from '@nacre/media/publisher/publisher';
import { buildReceiverReport } from '@nacre/media/rtp/rtcp';
import { createMediaSupervisor } from '@nacre/media/supervisor';
import { loadPaddedClip } from '../tests/support/padded-clip.ts';

const aimPercent = 1.5;
const bitrateBps = 2_000_000;
/** Connections, first key pictures and compilation of the code are over by then. */
const settleMs = 6000;
const senderProcesses = 2;
const address = '127.0.0.1';
const silentLog = { info: () => undefined, warn: () => undefined, error: () => undefined };
const self = fileURLToPath(import.meta.url);

interface Reading {
  cpuUs: number;
  packets: number;
  connected: number;
}

interface Sample {
  percentPerPublisher: number;
  packetsPerSecond: number;
  usPerPacket: number;
  connected: number;
}

/** A sender process: so many publishers, until its parent lets go. */
async function runSenders(url: string, count: number): Promise<void> {
  const clip = await loadPaddedClip(bitrateBps);
  for (let index = 0; index < count; index += 1) {
    startPublisher({ url, key: `${process.pid}-${index}`, clip, log: () => undefined });
    // Spread over a picture's time, as independent publishers are.
    await new Promise((resolve) => setTimeout(resolve, 53));
  }
}

function listen(answer: (key: string, offerSdp: string) => Promise<string>): Promise<Server> {
  const server = createServer((request, response) => {
    const take = async (): Promise<void> => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      if (request.method !== 'POST') return void response.end();
      const sdp = await answer(request.headers.authorization ?? '', body);
      response.writeHead(201, { location: '/session' }).end(sdp);
    };
    take().catch((error: unknown) => response.writeHead(503).end(String(error)));
  });
  return new Promise((resolve) => server.listen(0, address, () => resolve(server)));
}

const urlOf = (server: Server): string => `http://${address}:${(server.address() as AddressInfo).port}/whip`;

/** The bare process: takes packets, counts them, and says once a second that it is there. */
async function runBare(): Promise<void> {
  const transport = await createTransport({ udpPort: 0, bindAddress: address, log: silentLog });
  const peers: TransportPeer[] = [];
  let packets = 0;
  let connected = 0;
  const server = await listen(async (_key, offerSdp) => {
    const offer = parseOffer(offerSdp);
    const peer = transport.accept('bare', offer, {
      onUp: () => void (connected += 1),
      onPacket: () => void (packets += 1),
      onGone: () => undefined,
    });
    peers.push(peer);
    return buildAnswer(offer, { ...peer.local, addresses: [address], udpPort: transport.udpPort });
  });
  setInterval(() => peers.forEach((peer) => peer.send(buildReceiverReport(1, []))), 1000);
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuUs: user + system, packets, connected } satisfies Reading);
  });
  process.send?.({ url: urlOf(server) });
}

const once = <T>(child: ChildProcess): Promise<T> =>
  new Promise((resolve) => child.once('message', (message) => resolve(message as T)));
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function measure(url: string, count: number, ms: number, read: () => Promise<Reading>): Promise<Sample> {
  const each = Math.ceil(count / senderProcesses);
  const senders: ChildProcess[] = [];
  for (let left = count; left > 0; left -= each) {
    const args = ['--as', 'senders', '--url', url, '--publishers', String(Math.min(each, left))];
    senders.push(fork(self, args));
  }
  try {
    await wait(settleMs + count * 30);
    const from = await read();
    const fromMs = performance.now();
    await wait(ms);
    const to = await read();
    const tookMs = performance.now() - fromMs;
    const packets = to.packets - from.packets;
    if (to.connected < count) throw new Error(`${to.connected} of ${count} publishers are connected`);
    return {
      percentPerPublisher: (to.cpuUs - from.cpuUs) / 10 / tookMs / count,
      packetsPerSecond: Math.round((packets * 1000) / tookMs / count),
      usPerPacket: (to.cpuUs - from.cpuUs) / packets,
      connected: to.connected,
    };
  } finally {
    for (const sender of senders) sender.kill('SIGKILL');
  }
}

async function measureBare(count: number, ms: number): Promise<Sample> {
  const bare = fork(self, ['--as', 'bare']);
  try {
    const { url } = await once<{ url: string }>(bare);
    return await measure(url, count, ms, () => {
      const reading = once<Reading>(bare);
      bare.send('read');
      return reading;
    });
  } finally {
    bare.kill('SIGKILL');
  }
}

async function measureOurs(count: number, ms: number): Promise<Sample & { fragments: number; loopDelayP99Ms: number }> {
  let fragments = 0;
  const supervisor = createMediaSupervisor({
    udpPort: 0,
    bindAddress: address,
    log: silentLog,
    onEvent: (event) => void (event.type === 'fragment' && (fragments += 1)),
  });
  await supervisor.ready();
  const server = await listen(async (streamId, offerSdp) => {
    const { answerSdp } = await supervisor.publish({ streamId, offerSdp });
    return answerSdp;
  });
  let loopDelayP99Ms = 0;
  try {
    const sample = await measure(urlOf(server), count, ms, async () => {
      const stats = await supervisor.stats();
      if (stats === null) throw new Error('the media process is down');
      loopDelayP99Ms = stats.eventLoopDelayMs.p99;
      const { sessions } = stats;
      const unhealthy = sessions.filter(({ width, lost }) => width !== 720 || lost > 0).length;
      if (unhealthy > 0) throw new Error(`${unhealthy} sessions have no picture or lost packets`);
      return {
        cpuUs: stats.cpuUs,
        packets: sessions.reduce((sum, session) => sum + session.packets, 0),
        connected: sessions.filter(({ state }) => state === 'up').length,
      };
    });
    return { ...sample, fragments, loopDelayP99Ms };
  } finally {
    server.closeAllConnections();
    server.close();
    await supervisor.stop();
  }
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;
const round = (value: number): number => Math.round(value * 1000) / 1000;

async function run(): Promise<void> {
  const rounds = Math.min(10, Math.max(1, Number(options.rounds) || 3));
  const count = Math.min(80, Math.max(1, Number(options.publishers) || 20));
  const ms = Math.min(120, Math.max(1, Number(options.seconds) || 15)) * 1000;
  const ours: Awaited<ReturnType<typeof measureOurs>>[] = [];
  const bare: Sample[] = [];
  for (let index = 1; index <= rounds; index += 1) {
    bare.push(await measureBare(count, ms));
    ours.push(await measureOurs(count, ms));
    const [our, limit] = [ours.at(-1)!, bare.at(-1)!];
    process.stdout.write(
      `round ${index}: ours ${our.percentPerPublisher.toFixed(2)} % (${our.usPerPacket.toFixed(1)} µs a packet), ` +
        `bare ${limit.percentPerPublisher.toFixed(2)} % (${limit.usPerPacket.toFixed(1)} µs a packet)\n`,
    );
  }
  const our = round(median(ours.map((sample) => sample.percentPerPublisher)));
  const limit = round(median(bare.map((sample) => sample.percentPerPublisher)));
  const ratio = round(our / limit);
  process.stdout.write(
    `publisher cost: ${our} % of a core per publisher of ${count} (aim ${aimPercent} %)\n` +
      `limit: ${limit} % for bare receiving; ratio ${ratio}\n`,
  );
  if (!options.json) return;
  const details = {
    aimPercent,
    limitIs: 'bare node-datachannel receiving the same packets',
    publishers: count,
    bitrateBps,
    packetsPerSecond: ours[0]?.packetsPerSecond,
    usPerPacket: ours.map((sample) => round(sample.usPerPacket)),
    limitUsPerPacket: bare.map((sample) => round(sample.usPerPacket)),
    roundsPercent: ours.map((sample) => round(sample.percentPerPublisher)),
    limitRoundsPercent: bare.map((sample) => round(sample.percentPerPublisher)),
    loopDelayP99Ms: ours.map((sample) => sample.loopDelayP99Ms),
    fragments: ours.map((sample) => sample.fragments),
    cores: cpus().length,
  };
  const unit = '% of a core per publisher';
  process.stdout.write(`${JSON.stringify({ goal: 'publisher-cost', ours: our, limit, ratio, unit, details })}\n`);
}

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    publishers: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '15' },
    as: { type: 'string' },
    url: { type: 'string' },
  },
});
if (options.as !== undefined) {
  // A part of a measurement ends with whoever measures.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
}
if (options.as === 'bare') await runBare();
else if (options.as === 'senders') await runSenders(options.url ?? '', Number(options.publishers));
else await run();
