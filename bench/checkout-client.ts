/**
 * The load of `checkout.ts`, a process of its own: keeps one order on the way on each connection for a bounded time,
 * each with a key of its own and from a buyer's own session, pays it there if asked, and tells what became of them.
 *
 * Reads its task as JSON from the standard input, writes its result as JSON to the standard output.
 */
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';

export interface Task {
  port: number;
  connections: number;
  forMs: number;
  /** Cookie headers; taken in turn, each `ordersEach` times at most. */
  cookies: string[];
  ordersEach: number;
  /** Of an order, without its key. */
  body: Record<string, unknown>;
  /** Pays each order at once, on its connection. */
  pays: boolean;
}

export interface Result {
  placed: number;
  /** Payments that were answered as captured. */
  paid: number;
  /** Answers that are no order, by status. */
  others: Record<string, number>;
  seconds: number;
  p50Ms: number;
  p99Ms: number;
}

let input = '';
for await (const chunk of process.stdin) input += String(chunk);
const task = JSON.parse(input) as Task;
const body = JSON.stringify(task.body).slice(1);
const tookMs: number[] = [];
const others: Record<string, number> = {};
let sent = 0;
let placed = 0;
let paid = 0;

const startMs = performance.now();
const endMs = startMs + task.forMs;
await Promise.all(Array.from({ length: task.connections }, () => keepOrdering()));
const seconds = (performance.now() - startMs) / 1000;
tookMs.sort((a, b) => a - b);
const at = (share: number): number => Number((tookMs[Math.floor(tookMs.length * share)] ?? 0).toFixed(1));
const result: Result = { placed, paid, others, seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
process.stdout.write(JSON.stringify(result));

/** One connection: the next order follows the answer to the one before, or to its payment. */
function keepOrdering(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(task.port, '127.0.0.1');
    let answer = '';
    let sentAtMs = 0;
    let cookie: string | undefined;
    const post = (path: string, json: string): void => {
      sentAtMs = performance.now();
      socket.write(`POST ${path} HTTP/1.1\r\nhost: localhost:${task.port}\r\ncookie: ${cookie}\r\n`
        + `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(json)}\r\n\r\n${json}`);
    };
    const next = (): void => {
      cookie = task.cookies[sent % task.cookies.length];
      if (performance.now() >= endMs || sent >= task.cookies.length * task.ordersEach) return void socket.end();
      sent += 1;
      post('/api/orders', `{"idempotencyKey":"${randomUUID()}",${body}`);
    };
    socket.setEncoding('latin1');
    socket.on('connect', next);
    socket.on('data', (text: string) => {
      answer += text;
      const headEnd = answer.indexOf('\r\n\r\n');
      if (headEnd < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(answer)?.[1] ?? 0);
      if (answer.length < headEnd + 4 + length) return;
      tookMs.push(performance.now() - sentAtMs);
      const status = answer.slice(9, 12);
      const paymentId = /"paymentUrl":"\/pay\/sandbox\/([0-9a-f-]+)"/.exec(answer)?.[1];
      const isPaid = status === '200' && answer.includes('"state":"captured"');
      answer = '';
      if (status === '201') placed += 1;
      else if (isPaid) paid += 1;
      else others[status] = (others[status] ?? 0) + 1;
      if (!task.pays || paymentId === undefined) return void next();
      post(`/api/payments/${paymentId}/sandbox`, '{"outcome":"succeed"}');
    });
    socket.on('close', () => resolve());
    socket.on('error', reject);
  });
}
