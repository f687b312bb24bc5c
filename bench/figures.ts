/** What benches share: words for the reader, the middle of several rounds, and a process's time. */
import { readFileSync } from 'node:fs';

/** Of Linux, in which the kernel counts a process's time. */
export const ticksPerSecond = 100;

/** To the reader; the standard output is for the figures of `--json`. */
export const say = (text: string): void => void process.stderr.write(`${text}\n`);

export const median = (values: readonly number[]): number => (
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
);

export const round = (value: number, digits = 2): number => Number(value.toFixed(digits));

/** The fields of /proc/<pid>/stat after the program's name: the first is its state, field 3 of proc(5). */
export function statOf(pid: number | string): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** User and system time of the process with all its threads, in seconds (proc(5), fields 14 and 15). */
export function processorSeconds(pid: number): number {
  const fields = statOf(pid);
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
