/**
 * A browser's trace as it would be on a machine that does nothing else: each task of a thread lasts as long as the
 * processor worked on it, not as long as the clock went on while others had the processor.
 *
 * Trace Event Format: `ts` and `dur` are microseconds by the clock, `tdur` microseconds of the thread's processor time.
 */
export interface TraceEvent {
  name: string;
  /** "X": a complete event, with a duration. "R": a mark, whose moment is often told by another process. */
  ph: string;
  pid: number;
  tid: number;
  ts: number;
  dur?: number;
  tdur?: number;
}

/** What a thread does at one time, and the share of it in which it had the processor. */
interface Task {
  from: number;
  to: number;
  share: number;
}

/**
 * Shortens the outermost tasks, and what happens within them in proportion. When each begins stays, and so do marks
 * such as the beginning of the navigation, which only seem to lie in a task.
 */
export function byThreadTime<Event extends TraceEvent>(events: readonly Event[]): Event[] {
  const tasksOf = new Map([...Map.groupBy(events, threadOf)].map(([thread, all]) => [thread, outermostTasks(all)]));
  return events.map((event) => {
    if (event.ph === 'R') return event;
    const task = taskAt(tasksOf.get(threadOf(event)) ?? [], event.ts);
    if (task === undefined || event.ts + (event.dur ?? 0) > task.to) return event;
    const ts = Math.round(task.from + (event.ts - task.from) * task.share);
    return event.dur === undefined ? { ...event, ts } : { ...event, ts, dur: Math.floor(event.dur * task.share) };
  });
}

const threadOf = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;

function outermostTasks(events: readonly TraceEvent[]): Task[] {
  const tasks: Task[] = [];
  const sorted = events
    .filter(({ ph, name, dur, tdur }) => ph === 'X' && name.endsWith('RunTask') && tdur !== undefined && dur! > 0)
    .toSorted((a, b) => a.ts - b.ts || b.dur! - a.dur!);
  for (const { ts, dur, tdur } of sorted) {
    if (ts < (tasks.at(-1)?.to ?? 0)) continue;
    tasks.push({ from: ts, to: ts + dur!, share: Math.min(1, tdur! / dur!) });
  }
  return tasks;
}

/** The task that runs at this moment, by halving. */
function taskAt(tasks: readonly Task[], ts: number): Task | undefined {
  let low = 0;
  let high = tasks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tasks[middle]!.to < ts) low = middle + 1;
    else high = middle;
  }
  const task = tasks[low];
  return task !== undefined && task.from <= ts ? task : undefined;
}
