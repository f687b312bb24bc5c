/**
 * Numbers on the wire wrap (16-bit sequence numbers, 32-bit timestamps). Everything behind the parser works with
 * extended numbers that only grow over a session, found as the value nearest to the last one.
 *
 * Exact for all safe integers; the only assumption is that two neighbours lie less than half the range apart
 * (RFC 3550 appendix A.1).
 */

/** The 16-bit number `value`, extended to the neighbourhood of `reference`. */
export function extend16(reference: number, value: number): number {
  const ahead = (value - reference) & 0xffff;
  return reference + (ahead < 0x8000 ? ahead : ahead - 0x10000);
}

/** The 32-bit number `value`, extended to the neighbourhood of `reference`. */
export function extend32(reference: number, value: number): number {
  return reference + ((value - reference) | 0);
}

/** Extends a run of wrapping numbers; the first one stands for itself. */
export function createUnwrapper(bits: 16 | 32): (value: number) => number {
  const extend = bits === 16 ? extend16 : extend32;
  let last: number | null = null;
  return (value) => {
    last = last === null ? value : extend(last, value);
    return last;
  };
}
