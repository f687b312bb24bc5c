/**
 * What the operating system knows about a PostgreSQL cluster's processes.
 *
 * A postmaster outlives a Node that was killed, leaves its pid file when it is killed itself, and pids are used again:
 * so a pid from the file counts only when that process really is a postmaster on this cluster.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from './start-refusal.ts';

const POLL_MS = 50;

export interface Postmaster {
  pid: number;
  port: number;
}

/** What the cluster's pid file says, whether the process lives or not; null when there is no usable file. */
export function readPidFile(cluster: string): Postmaster | null {
  try {
    // Lines: pid, data folder, start time, port, socket folder, address, shared memory key, state.
    const lines = readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n');
    const pid = Number(lines[0]);
    const port = Number(lines[3]);
    return Number.isInteger(pid) && pid > 1 ? { pid, port: Number.isInteger(port) ? port : 0 } : null;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** True while `pid` is a PostgreSQL server started on `cluster`; a zombie is none. */
export function isPostmaster(pid: number, cluster: string): boolean {
  const command = commandOf(pid);
  return command.includes('postgres') && command.includes(cluster);
}

function commandOf(pid: number): string {
  if (process.platform !== 'linux') {
    return spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout ?? '';
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    // Gone between two looks, which is the answer.
    return '';
  }
}

/** True while any process, a backend that has lost its postmaster included, works in the cluster's folder. */
function isInUse(cluster: string): boolean {
  if (process.platform !== 'linux') return false;
  return readdirSync('/proc').some((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      return readlinkSync(`/proc/${entry}/cwd`) === cluster;
    } catch {
      // Not ours to look at, so not ours; or gone.
      return false;
    }
  });
}

/** Waits until nothing works in the cluster's folder any more; false when `timeoutMs` passes before. */
export async function waitUntilUnused(cluster: string, timeoutMs: number): Promise<boolean> {
  return waitFor(() => !isInUse(cluster), timeoutMs);
}

/** Asks a postmaster to stop, with more force each time it does not; returns when it is gone. */
export async function stopPostmaster(pid: number, cluster: string): Promise<void> {
  // Fast shutdown first (rolls back, writes a checkpoint), then immediate (recovery at next start), then no choice.
  const steps: [NodeJS.Signals, number][] = [['SIGINT', 20_000], ['SIGQUIT', 5_000], ['SIGKILL', 5_000]];
  for (const [signal, waitMs] of steps) {
    if (!isPostmaster(pid, cluster)) return;
    signalIfAlive(pid, signal);
    if (await waitFor(() => !isPostmaster(pid, cluster), waitMs)) return;
  }
  throw new Error(`PostgreSQL (process ${pid}) does not stop`);
}

export function signalIfAlive(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}

export async function waitFor(condition: () => boolean, timeoutMs: number): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += POLL_MS) {
    if (condition()) return true;
    await sleep(POLL_MS);
  }
  return condition();
}

/** The end of a log file, for a sentence about what went wrong; '' when there is none. */
export function logTail(file: string, lines: number): string {
  if (!existsSync(file)) return '';
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
}
