/** Every bound of the room's sockets. Each comment says what breaks when it is smaller, and when it is larger. */

export interface RealtimeLimits {
  connections: number;
  connectionsPerViewer: number;
  roomsPerConnection: number;
  rooms: number;
  messageBytes: number;
  frameBytes: number;
  messagesBurst: number;
  messagesPerSecond: number;
  queuedBytes: number;
  tickMs: number;
  chatterPerTick: number;
  chatterBacklog: number;
  ordersPerTick: number;
  ordersBacklog: number;
  historyEvents: number;
  historyBytes: number;
  roomIdleMs: number;
  snapshotReuseMs: number;
  viewersEveryMs: number;
  cameAgainMs: number;
  cameRemembered: number;
  probeEveryMs: number;
  closeLingerMs: number;
}

export const REALTIME_LIMITS: RealtimeLimits = {
  /** Sockets of this process. Fewer turns people away; more (6–9 KB each, a write per tick) starves the rest. */
  connections: 20_000,
  /** Tabs of one person or guest. Fewer hurts several devices; more lets one cookie hold all places. */
  connectionsPerViewer: 200,
  /** A page joins two. Fewer breaks a page that changes shows; more makes each socket a listener of everything. */
  roomsPerConnection: 8,
  /** Rooms with members or a fresh history. Fewer closes small shows; more is memory (historyBytes each). */
  rooms: 2_000,
  /** A page's message. Smaller does not hold a join with its position; larger only serves those who flood. */
  messageBytes: 1_024,
  /** Where the protocol itself stops reading a frame (close 1009), before it is in memory. */
  frameBytes: 16 * 1024,
  /** Messages at once: a page that comes back joins its rooms. Smaller closes honest pages, larger is a flood. */
  messagesBurst: 30,
  /** Sustained. Pages ping every 10 s; fewer closes pages that wake from sleep, more costs a parse each. */
  messagesPerSecond: 5,
  /** Bytes that wait for one reader. Smaller closes phones in a tunnel at once; larger is memory per dead phone. */
  queuedBytes: 512 * 1024,
  /** Events of one tick share a frame. Shorter is a write per event, longer is felt as delay. */
  tickMs: 50,
  /** Lines of talk in one frame: 240 a second is more than anyone reads, and what a phone's line still carries. */
  chatterPerTick: 12,
  /** Lines that wait for the next ticks. Fewer loses lines of a burst; more makes the talk late. */
  chatterBacklog: 240,
  /** Paid orders in one studio frame, likewise. */
  ordersPerTick: 50,
  /** Orders waiting for the studio's next ticks; what does not fit is still in the office and the figures. */
  ordersBacklog: 2_000,
  /** Events kept for those who reconnect. Fewer reloads pages after a short gap; more is memory per room. */
  historyEvents: 2_000,
  historyBytes: 1024 * 1024,
  /** A room without members keeps its history this long: its only viewer may be in a tunnel. Longer is memory. */
  roomIdleMs: 120_000,
  /** A snapshot serves all who join within this time. Shorter reads the database per joiner, longer replays more. */
  snapshotReuseMs: 500,
  /** How often a changed count of viewers is told. Shorter is noise in every frame, longer looks stuck. */
  viewersEveryMs: 1_000,
  /** Coming back within this time is no arrival: phones reconnect. Longer hides people who really came again. */
  cameAgainMs: 5 * 60_000,
  /** Viewers remembered for it. Fewer announces reconnecting phones again; more is memory. */
  cameRemembered: 50_000,
  /** Silent sockets are probed this often and cut at the second silence. Shorter costs, longer counts the dead. */
  probeEveryMs: 25_000,
  /** What a closing socket has to answer in. Shorter loses the close code, longer keeps dead sockets. */
  closeLingerMs: 2_000,
};
