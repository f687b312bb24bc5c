/**
 * The two ways to the room behind one face: a WebSocket, and where none gets through an event stream whose messages go
 * by POST (contract/src/realtime.ts). A link is used once; whoever wants to stay in the room opens another.
 */
import type { ClientMessage, ServerMessage } from '@nacre/contract/realtime';

export interface Link {
  readonly way: 'socket' | 'stream';
  state(): 'connecting' | 'open' | 'closed';
  /** Nothing happens while it is not open. */
  send(message: ClientMessage): void;
  /** `onClose` is not called for it. */
  close(): void;
}

export interface LinkHandlers {
  onMessage(message: ServerMessage): void;
  /** By the other side or the network; 0 when it never opened or was cut. */
  onClose(code: number): void;
}

const protocolVersion = 1;

export function openSocket({ onMessage, onClose }: LinkHandlers): Link {
  const url = new URL(`/realtime?v=${protocolVersion}`, location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  const socket = new WebSocket(url);
  let isOver = false;
  socket.onmessage = ({ data }) => {
    if (!isOver && typeof data === 'string') onMessage(JSON.parse(data) as ServerMessage);
  };
  socket.onclose = ({ code }) => {
    if (isOver) return;
    isOver = true;
    onClose(code);
  };
  return {
    way: 'socket',
    state: () => (isOver ? 'closed' : socket.readyState === WebSocket.OPEN ? 'open' : 'connecting'),
    send(message) {
      if (!isOver && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
    },
    close() {
      isOver = true;
      socket.close();
    },
  };
}

export function openStream({ onMessage, onClose }: LinkHandlers): Link {
  const source = new EventSource(`/realtime/events?v=${protocolVersion}`);
  let line: string | null = null;
  let isOver = false;
  /** Messages leave one after the other: a join must not overtake the leave before it. */
  let sending: Promise<unknown> = Promise.resolve();
  const end = (code: number): void => {
    if (isOver) return;
    isOver = true;
    source.close();
    onClose(code);
  };
  source.onmessage = ({ data }: MessageEvent<string>) => {
    if (isOver) return;
    const message = JSON.parse(data) as ServerMessage;
    if (message.type === 'welcome') line = message.line ?? null;
    onMessage(message);
  };
  source.addEventListener('close', ({ data }: MessageEvent<string>) => end(Number(data)));
  // The browser would come back by itself, but to another line, which knows nothing of our rooms.
  source.onerror = () => end(0);
  return {
    way: 'stream',
    state: () => (isOver ? 'closed' : line === null ? 'connecting' : 'open'),
    send(message) {
      // The server gives signs of life by itself.
      if (isOver || line === null || message.type === 'ping') return;
      const post = () => fetch(`/realtime/messages/${line}`, {
        method: 'POST', body: JSON.stringify(message), headers: { 'content-type': 'application/json' },
      });
      sending = sending.then(post).then(({ ok }) => {
        if (!ok) end(0);
      }, () => end(0));
    },
    close() {
      isOver = true;
      source.close();
    },
  };
}
