import { Refusal } from '../../server/src/lib/refusal.ts';

/** Code and details with which it was refused; null: it was done. */
export async function refusalOf(promise: Promise<unknown>): Promise<Pick<Refusal, 'code' | 'details'> | null> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Refusal) return { code: error.code, details: error.details };
    throw error;
  }
  return null;
}
