/** For reading many things one after the other from far away: the next ones are on their way already. */

/**
 * @param keys in the order in which they will be asked for; what is asked in another order is read when asked
 * @param many on their way or waiting to be asked for, at most
 */
export function readAhead<Key, Value>(
  keys: readonly Key[], many: number, read: (key: Key) => Promise<Value>,
): (key: Key) => Promise<Value> {
  const coming = new Map<Key, Promise<Value>>();
  let next = 0;
  return (key) => {
    for (; next < keys.length && coming.size < many; next += 1) {
      const reading = read(keys[next]!);
      // Whoever asks for it hears of it.
      reading.catch(() => undefined);
      coming.set(keys[next]!, reading);
    }
    const asked = coming.get(key) ?? read(key);
    coming.delete(key);
    return asked;
  };
}
