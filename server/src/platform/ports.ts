/** Refuses a start whose ports somebody else has, before anything is touched. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { StartRefusal, errorCode, errorText } from './start-refusal.ts';

/** Throws a StartRefusal with what to do; port 0 is never taken, and the usual RTMP port may be. */
export async function refuseTakenPorts(config: {
  port: number; host: string; udpPort: number | null; rtmpPort: number | 'off' | null;
}): Promise<void> {
  const { host, port } = config;
  if (port !== 0) await tryTcp(host, port, '--port');
  const { rtmpPort } = config;
  if (typeof rtmpPort === 'number' && rtmpPort !== 0) await tryTcp(host, rtmpPort, '--rtmp-port');
  const udpPort = config.udpPort ?? port;
  if (udpPort !== 0) await tryUdp(udpPort);
}

function tryTcp(host: string, port: number, option: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => reject(explain(error, 'TCP', port, option, host)));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve()));
  });
}

function tryUdp(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createSocket({ type: 'udp4', reuseAddr: false });
    probe.once('error', (error) => reject(explain(error, 'UDP', port, '--udp-port', '0.0.0.0')));
    probe.bind({ port, exclusive: true }, () => probe.close(() => resolve()));
  });
}

function explain(error: Error, kind: string, port: number, option: string, host: string): StartRefusal {
  const other = `npm start -- ${option} ${port < 65_000 ? port + 1 : port - 1}`;
  const code = errorCode(error);
  if (code === 'EADDRINUSE') {
    return new StartRefusal(`${kind} port ${port} is taken by another program. End that one, or choose another port: `
      + `${other}`, { cause: error });
  }
  if (code === 'EACCES') {
    return new StartRefusal(`${kind} port ${port} may not be used by this user (below 1024 it takes root). `
      + `Choose another port: ${other}`, { cause: error });
  }
  return new StartRefusal(`Nacre cannot listen on ${host}, ${kind} port ${port}: ${errorText(error)}. `
    + 'Check NACRE_HOST, or choose another port: ' + other, { cause: error });
}
