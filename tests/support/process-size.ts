/** How large another process is, by Linux's own account (proc(5)). */
import { readFileSync, readdirSync } from 'node:fs';

export interface ProcessSize {
  residentBytes: number;
  threads: number;
  /** Open files, sockets included. */
  files: number;
}

/** Null where there is no /proc. */
export function sizeOf(pid: number): ProcessSize | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const figure = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
    const files = readdirSync(`/proc/${pid}/fd`).length;
    return { residentBytes: figure('VmRSS') * 1024, threads: figure('Threads'), files };
  } catch {
    return null;
  }
}
