export const START_OPTIONS: { name: string; value: string | null; text: string }[];
export function startHelp(): string;
export function wrongOption(args: string[]): string | null;
export function nearest(word: string, candidates: string[]): string | null;
