/** A proxy that knows HTTP and no WebSockets, as some companies, hotels and schools have. */
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface PlainProxy {
  /** On loopback, as the browser reaches the server behind it. */
  url: string;
  /** Upgrades are passed on from now on, or no more. */
  letSocketsThrough(through: boolean): void;
  stop(): Promise<void>;
}

export async function startPlainProxy(target: string): Promise<PlainProxy> {
  const { hostname, port } = new URL(target);
  let through = false;
  const server = createServer((incoming, outgoing) => {
    const { upgrade: _, connection: __, ...headers } = incoming.headers;
    const asked = request({ hostname, port, method: incoming.method, path: incoming.url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    asked.on('error', () => outgoing.destroy());
    outgoing.on('close', () => asked.destroy());
    incoming.pipe(asked);
  });
  server.on('upgrade', (incoming, socket, head) => {
    socket.on('error', () => socket.destroy());
    if (!through) return socket.end('HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    const asked = request({ hostname, port, path: incoming.url, headers: incoming.headers });
    asked.on('error', () => socket.destroy());
    asked.on('upgrade', (answer, far, first) => {
      const headers = Object.entries(answer.headers).map(([name, value]) => `${name}: ${String(value)}`);
      socket.write(['HTTP/1.1 101 Switching Protocols', ...headers, '', ''].join('\r\n'));
      if (first.length > 0) socket.write(first);
      if (head.length > 0) far.write(head);
      far.pipe(socket).pipe(far);
      far.on('error', () => socket.destroy());
      socket.on('close', () => far.destroy());
    });
    asked.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    letSocketsThrough: (next) => void (through = next),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
