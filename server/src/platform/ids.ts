/** Ids arrive as a dependency, so that a simulation can own them. Version 7: rows of one table lie in order of time. */
import { randomInt } from 'node:crypto';
import { v7 } from 'uuid';

/** A new UUID (RFC 9562, version 7). */
export type NewId = () => string;

export const newId: NewId = () => v7();

/** Drawn by lot: a whole number from 0, below 2^31. */
export const newNumber = (): number => randomInt(2 ** 31);
