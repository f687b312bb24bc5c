/** Ids arrive as a dependency, so that a simulation can own them. Version 7: rows of one table lie in order of time. */
import { v7 } from 'uuid';

/** A new UUID (RFC 9562, version 7). */
export type NewId = () => string;

export const newId: NewId = () => v7();
