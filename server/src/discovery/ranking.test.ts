import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { NEWCOMER_PLACE, NEWCOMER_VIEWERS, rank, type LiveShow } from './ranking.ts';

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 20, minute));
const show = (id: string, viewers: number, more: Partial<LiveShow> = {}): LiveShow => (
  { id, viewers, wentLiveAt: at(0), isInterrupted: false, isNewcomer: false, ...more }
);
const idsOf = (shows: LiveShow[]) => shows.map(({ id }) => id).join(' ');

/** mulberry32: the same seed, the same market. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('the order of live shows', () => {
  it('[D2] most viewers first, then the latest begun; without a picture last', () => {
    const shows = [
      show('few', 3), show('away', 900, { isInterrupted: true }), show('many', 50),
      show('later', 3, { wentLiveAt: at(5) }),
    ];
    assert.equal(idsOf(rank(shows, 0)), 'many later few away');
  });

  it('[D3] every third place is a newcomer’s, in turn, and a newcomer that many want keeps that place too', () => {
    const shows = [
      ...['a', 'b', 'c', 'd', 'e'].map((id, index) => show(id, 100 - index)),
      ...['x', 'y'].map((id) => show(id, 0, { isNewcomer: true })),
    ];
    const orders = new Set([0, 1, 2, 3].map((turn) => idsOf(rank(shows, turn))));
    assert.deepEqual([...orders].toSorted(), ['a b x c d y e', 'a b y c d x e']);
    assert.equal(idsOf(rank([show('a', 9), show('n', 50, { isNewcomer: true }), show('b', 8)], 0)), 'n a b');
    assert.equal(idsOf(rank(shows.slice(5), 0)).length, 3);
  });

  it('[D3] a newcomer whose picture is away waits like everybody', () => {
    const shows = [show('a', 2), show('b', 1), show('c', 0), show('x', 9, { isNewcomer: true, isInterrupted: true })];
    assert.equal(idsOf(rank(shows, 0)), 'a b c x');
  });

  it('[D4] every show has one place, whatever the turn', () => {
    const draw = random(7);
    const shows = Array.from({ length: 300 }, (_, index) => show(`s${index}`, Math.floor(draw() * 40), {
      isNewcomer: draw() < 0.3, isInterrupted: draw() < 0.1,
    }));
    for (let turn = 0; turn < 200; turn += 1) {
      const ranked = rank(shows, turn);
      assert.equal(new Set(ranked.map(({ id }) => id)).size, shows.length);
      assert.equal(idsOf(rank(shows.toReversed(), turn)), idsOf(ranked));
    }
  });

  it('[D5] simulated: newcomers get a fifth of first views, each its fair part, and the wanted stay in front', () => {
    const draw = random(42);
    const shows = Array.from({ length: 200 }, (_, index) => {
      const isNewcomer = index >= 160;
      return show(`show-${index}`, isNewcomer ? 0 : Math.round(5_000 / (index + 1)) + 5, { isNewcomer });
    });
    // Whoever comes looks at a place the more seldom the further down it stands: 1, 1/2, 1/3 …
    const weights = shows.map((_, index) => 1 / (index + 1));
    const sum = weights.reduce((a, b) => a + b);
    const views = new Map<string, number>();
    const visitors = 40_000;
    const orders = Array.from({ length: 400 }, (_, turn) => rank(shows, turn));
    for (let visitor = 0; visitor < visitors; visitor += 1) {
      const ranked = orders[visitor % orders.length] ?? [];
      let left = draw() * sum;
      let place = 0;
      while (left > (weights[place] ?? 0) && place < ranked.length - 1) left -= weights[place++] ?? 0;
      const { id } = ranked[place] ?? assert.fail('no show at the place');
      views.set(id, (views.get(id) ?? 0) + 1);
    }
    const ofNewcomers = shows.filter(({ isNewcomer }) => isNewcomer).map(({ id }) => views.get(id) ?? 0);
    const total = ofNewcomers.reduce((a, b) => a + b);
    assert.ok(total / visitors >= 0.2, `${total / visitors}`);
    const fair = total / ofNewcomers.length;
    for (const seen of ofNewcomers) assert.ok(Math.abs(seen - fair) < 0.25 * fair, `${seen} of ${fair}`);
    const most = [...views].toSorted(([, a], [, b]) => b - a).slice(0, 4).map(([id]) => id);
    assert.deepEqual(most.slice(0, 2), ['show-0', 'show-1']);
    assert.ok(most.includes('show-2'));
  });

  it('[D1] the published numbers are those of docs/ranking.md', () => {
    const text = readFileSync(new URL('../../../docs/ranking.md', import.meta.url), 'utf8');
    assert.ok(text.includes('every third place') && NEWCOMER_PLACE === 3);
    assert.ok(text.includes(`less than ${NEWCOMER_VIEWERS}`));
  });
});
