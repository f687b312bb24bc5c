/**
 * The load of `checkout.ts`, a process of its own, bounded in time: orders on many connections, each with a key and an
 * address of its own and from a buyer's own session, paid there if asked, and what became of them.
 *
 * Without a pace each connection sends its next order when the one before is answered. With a pace orders come due by
 * the clock, whatever the server does, and one that has to wait for a free connection has waited.
 *
 * Reads its task as JSON from the standard input, writes its result as JSON to the standard output.
 */
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';

export interface Task {
  port: number;
  connections: number;
  forMs: number;
  /** Orders that come due in a second; null: as fast as they are answered. */
  perSecond: number | null;
  /** Cookie headers; taken in turn, each `ordersEach` times at most. */
  cookies: string[];
  ordersEach: number;
  /** Lines that orders take in turn. */
  goods: Array<{ variantId: string; quantity: number; unitPriceMinor: number }>;
  linesEach: number;
  address: { line1: string };
  /** The show in which they are bought; null: none. */
  showId: string | null;
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

/** How often paced orders come due: much less than an answer takes. */
const TICK_MS = 2;

let input = '';
for await (const chunk of process.stdin) input += String(chunk);
const task = JSON.parse(input) as Task;
const goods = task.goods.map(({ variantId, quantity, unitPriceMinor }) => (
  JSON.stringify({ variantId, quantity, unitPriceMinor })
));
const { line1, ...address } = task.address;
const rest = JSON.stringify(address).slice(1);
const tookMs: number[] = [];
const others: Record<string, number> = {};
let sent = 0;
let placed = 0;
let paid = 0;

/** When orders came due that nobody has sent yet, and connections that have nothing to send. */
const due: number[] = [];
const idle: Array<() => void> = [];
let cameDue = 0;

const startMs = performance.now();
const endMs = startMs + task.forMs;
const pacer = task.perSecond === null ? undefined : setInterval(comeDue, TICK_MS, task.perSecond);
await Promise.all(Array.from({ length: task.connections }, () => keepOrdering()));
clearInterval(pacer);
const seconds = (performance.now() - startMs) / 1000;
tookMs.sort((a, b) => a - b);
const at = (share: number): number => Number((tookMs[Math.floor(tookMs.length * share)] ?? 0).toFixed(1));
const result: Result = { placed, paid, others, seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
process.stdout.write(JSON.stringify(result));

function isOver(): boolean {
  return performance.now() >= endMs || sent >= task.cookies.length * task.ordersEach;
}

function comeDue(perSecond: number): void {
  for (; ; cameDue += 1) {
    const dueMs = startMs + (cameDue * 1000) / perSecond;
    if (dueMs > performance.now() || dueMs >= endMs) break;
    due.push(dueMs);
  }
  // Connections that have nothing more to do see for themselves that it is over.
  while (idle.length > 0 && (due.length > 0 || isOver())) idle.shift()!();
}

function nextOrder(): string {
  const first = sent * task.linesEach;
  const lines = Array.from({ length: task.linesEach }, (_, line) => goods[(first + line) % goods.length]);
  return `{"idempotencyKey":"${randomUUID()}","showId":${JSON.stringify(task.showId)},"lines":[${lines.join(',')}],`
    + `"address":{"line1":${JSON.stringify(`${line1} ${sent}`)},${rest}}`;
}

/** One connection: the next order follows the answer to the one before, or to its payment. */
function keepOrdering(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(task.port, '127.0.0.1');
    let answer = '';
    let sentAtMs = 0;
    let cookie: string | undefined;
    const post = (path: string, json: string): void => {
      socket.write(`POST ${path} HTTP/1.1\r\nhost: localhost:${task.port}\r\ncookie: ${cookie}\r\n`
        + `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(json)}\r\n\r\n${json}`);
    };
    const next = (): void => {
      const dueMs = task.perSecond === null ? performance.now() : due.shift();
      if (isOver()) return void socket.end();
      if (dueMs === undefined) return void idle.push(next);
      sentAtMs = dueMs;
      sent += 1;
      cookie = task.cookies[sent % task.cookies.length];
      post('/api/orders', nextOrder());
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
      sentAtMs = performance.now();
      post(`/api/payments/${paymentId}/sandbox`, '{"outcome":"succeed"}');
    });
    socket.on('close', () => resolve());
    socket.on('error', reject);
  });
}
