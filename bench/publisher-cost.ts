/**
 * What a publisher costs the media process, at 2 Mbit/s and 25 pictures a second: the share of a core for one alone,
 * and for each of as many as are let in.
 *
 * Publishers replay RTP from processes of their own, which are not counted. Counted is the media process alone: WebRTC,
 * RTP, feedback, fMP4 and the pipe. The limit is the same packets through bare node-datachannel: received, decrypted,
 * handed to JavaScript and dropped. Rounds of both alternate. The senders need another core: where they have none,
 * packets are lost on their way, and that is told.
 *
 * Usage: node bench/publisher-cost.ts [--json] [--rounds N] [--publishers N,N…] [--seconds N]
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
import { maxPublishers } from '@nacre/media/media-server';
import { createMediaSupervisor } from '@nacre/media/supervisor';
import { loadPaddedClip } from '../tests/support/padded-clip.ts';
import { median, round, say } from './figures.ts';

/** A hundred on one core. */
const aimPercent = 1;
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

interface OurSample extends Sample {
  fragments: number;
  loopDelayP99Ms: number;
  lostPackets: number;
}

async function measureOurs(count: number, ms: number): Promise<OurSample> {
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
  let [loopDelayP99Ms, lostPackets] = [0, 0];
  try {
    const sample = await measure(urlOf(server), count, ms, async () => {
      const stats = await supervisor.stats();
      if (stats === null) throw new Error('the media process is down');
      loopDelayP99Ms = stats.eventLoopDelayMs.p99;
      const { sessions } = stats;
      const blind = sessions.filter(({ width }) => width !== 720).length;
      if (blind > 0) throw new Error(`${blind} sessions have no picture`);
      lostPackets = sessions.reduce((sum, { lost }) => sum + lost, 0);
      return {
        cpuUs: stats.cpuUs,
        packets: sessions.reduce((sum, session) => sum + session.packets, 0),
        connected: sessions.filter(({ state }) => state === 'up').length,
      };
    });
    return { ...sample, fragments, loopDelayP99Ms, lostPackets };
  } finally {
    server.closeAllConnections();
    server.close();
    await supervisor.stop();
  }
}

/** Rounds of ours and of the limit with so many publishers. */
async function compare(count: number, rounds: number, ms: number) {
  const ours: OurSample[] = [];
  const bare: Sample[] = [];
  for (let index = 1; index <= rounds; index += 1) {
    bare.push(await measureBare(count, ms));
    ours.push(await measureOurs(count, ms));
    const [our, limit] = [ours.at(-1)!, bare.at(-1)!];
    say(`${count}, round ${index}: ours ${our.percentPerPublisher.toFixed(2)} % (${our.usPerPacket.toFixed(1)} µs a `
      + `packet, ${our.lostPackets} lost), bare ${limit.percentPerPublisher.toFixed(2)} % `
      + `(${limit.usPerPacket.toFixed(1)} µs)`);
  }
  const our = round(median(ours.map((sample) => sample.percentPerPublisher)), 3);
  const limit = round(median(bare.map((sample) => sample.percentPerPublisher)), 3);
  const ratio = round(our / limit);
  say(`publisher cost: ${our} % of a core for each of ${count} (aim ${aimPercent} %); `
    + `limit ${limit} % for bare receiving, ratio ${ratio}`);
  return {
    publishers: count,
    ours: our,
    limit,
    ratio,
    packetsPerSecond: ours[0]?.packetsPerSecond,
    lostPackets: ours.map((sample) => sample.lostPackets),
    usPerPacket: ours.map((sample) => round(sample.usPerPacket)),
    limitUsPerPacket: bare.map((sample) => round(sample.usPerPacket)),
    loopDelayP99Ms: ours.map((sample) => round(sample.loopDelayP99Ms)),
    fragments: ours.map((sample) => sample.fragments),
  };
}

async function run(): Promise<void> {
  const rounds = Math.min(10, Math.max(1, Number(options.rounds) || 3));
  const counts = options.publishers.split(',').map((text) => Math.min(maxPublishers, Math.max(1, Number(text) || 1)));
  const ms = Math.min(120, Math.max(1, Number(options.seconds) || 15)) * 1000;
  const results = [];
  for (const count of counts) results.push(await compare(count, rounds, ms));
  const most = results.at(-1);
  if (!options.json || most === undefined) return;
  const limitIs = 'bare node-datachannel receiving the same packets';
  const details = { aimPercent, limitIs, bitrateBps, results, cores: cpus().length };
  const { ours, limit, ratio } = most;
  const unit = `% of a core for each of ${most.publishers} publishers`;
  process.stdout.write(`${JSON.stringify({ goal: 'publisher-cost', ours, limit, ratio, unit, details })}\n`);
}

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    publishers: { type: 'string', default: `1,${maxPublishers}` },
    seconds: { type: 'string', default: '10' },
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
