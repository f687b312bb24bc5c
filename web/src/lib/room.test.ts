/** A show's room as its page keeps it: what the server drew, the snapshot of joining, and the events after it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LivePrice } from '@nacre/contract/offers';
import type { BagItem, Show } from '@nacre/contract/shows';
import '../../../tests/support/runes.ts';
import type { Snapshot } from './realtime.svelte.ts';
import type { Notice } from './room.svelte.ts';

const { createRoom } = await import('./room.svelte.ts');

/** A product with a variant for each price; its variants are called `<id>1`, `<id>2` … */
function item(id: string, number: number, prices: number[] = [4_900]): BagItem {
  const variants = prices.map((priceMinor, index) => ({
    id: `${id}${index + 1}`, optionValues: [], sku: id, priceMinor, available: 5, held: 0,
  }));
  const product = { id, title: id, variants, currency: 'USD', options: [], images: [] };
  return { number, product, explainRequests: 0, lastShownAtSeconds: null } as unknown as BagItem;
}

function showWith(bag: BagItem[]): Show {
  const none = { onScreenProductId: null, livePrices: [], coupons: [] };
  return { state: 'live', bag, ...none, viewers: 1, likes: 0 } as unknown as Show;
}

function snapshotOf(bag: BagItem[], onScreenProductId: string | null = null): Snapshot {
  return {
    show: { state: 'live', onScreenProductId, likes: 0 },
    viewers: 1,
    levels: bag.flatMap(({ product }) => product.variants.map(({ id, available, held }) => (
      { productId: product.id, variantId: id, available, held }
    ))),
    bag: bag.map(({ product, number }) => ({
      productId: product.id, number,
      prices: product.variants.map(({ id, priceMinor }) => ({ variantId: id, priceMinor })),
    })),
    livePrices: [], coupons: [], talk: { slowSeconds: 0, isQuiet: false }, chat: [],
  };
}

function roomWith(bag: BagItem[], loadShow: () => Promise<Show> = () => Promise.reject(new Error('not asked for'))) {
  const notices: Notice[] = [];
  const room = createRoom(showWith(bag), {
    sendChat: () => Promise.reject(new Error('silent')), sendLikes: async () => {}, loadShow,
    onNotice: (notice) => notices.push(notice),
  });
  return { room, notices, hear: room.handlers.events, join: room.handlers.snapshot };
}

const idsOf = (bag: BagItem[]) => bag.map(({ product }) => product.id);
const idOf = (item: BagItem | null) => item?.product.id ?? null;

test('[W13] joining corrects the prices that the page was drawn with, silently', () => {
  const { room, notices, join } = roomWith([item('coat', 1, [4_900, 5_900])]);
  join(snapshotOf([item('coat', 1, [4_500, 5_900])]));
  assert.deepEqual(room.bag[0]?.product.variants.map(({ priceMinor }) => priceMinor), [4_500, 5_900]);
  assert.deepEqual(notices, []);
});

test('[W13] another bag than the page was drawn with is loaded; what is on screen then shows and is told', async () => {
  const { room, notices, join } = roomWith([item('coat', 1)], async () => showWith([item('coat', 1), item('hat', 2)]));
  join(snapshotOf([item('coat', 1), item('hat', 2)], 'hat'));
  assert.equal(idOf(room.onScreen), null);
  await sleep(0);
  assert.deepEqual([idsOf(room.bag), idOf(room.onScreen)], [['coat', 'hat'], 'hat']);
  assert.deepEqual(notices.map(({ kind }) => kind), ['on-screen']);
});

test('[W13] the same bag is not loaded again; other numbers, another order and other variants are another bag', () => {
  const bag = () => [item('coat', 1), item('hat', 2)];
  const others = [
    [item('hat', 2), item('coat', 1)], [item('coat', 1), item('hat', 3)], [item('coat', 1, [1, 2]), item('hat', 2)],
  ];
  let loads = 0;
  const joinWith = (told: BagItem[]) => roomWith(bag(), async () => {
    loads += 1;
    return showWith(told);
  }).join(snapshotOf(told));
  joinWith([item('coat', 1, [1]), item('hat', 2)]);
  assert.equal(loads, 0);
  others.forEach(joinWith);
  assert.equal(loads, others.length);
});

test('[W13] what is heard while the bag is loading is not undone by it', async () => {
  let give: (show: Show) => void = () => {};
  const { room, join, hear } = roomWith([item('coat', 1)], () => new Promise((resolve) => (give = resolve)));
  join(snapshotOf([item('coat', 1), item('hat', 2)]));
  hear([
    { type: 'price', productId: 'hat', variantId: 'hat1', priceMinor: 4_500 },
    { type: 'stock', levels: [{ productId: 'hat', variantId: 'hat1', available: 2, held: 1 }] },
  ]);
  give(showWith([item('coat', 1), item('hat', 2)]));
  await sleep(0);
  const hat = room.bag[1]?.product.variants[0];
  assert.deepEqual([hat?.priceMinor, hat?.available, hat?.held], [4_500, 2, 1]);
});

test('[W13] a bag that could not be loaded is asked for again', async () => {
  let asked = 0;
  const { room, join } = roomWith([], async () => {
    asked += 1;
    if (asked === 1) throw new Error('no network');
    return showWith([item('hat', 1)]);
  });
  join(snapshotOf([item('hat', 1)]));
  // The first pause is half a second at most.
  await sleep(700);
  assert.deepEqual([asked, idsOf(room.bag)], [2, ['hat']]);
  room.stop();
});

/** A live price of coat2, which costs 5,900 the day. */
const live = (left: number, more: Partial<LivePrice> = {}): LivePrice => ({
  id: 'l', showId: 's', variantId: 'coat2', productId: 'coat', priceMinor: 4_000, formerMinor: 5_500, quota: 9, left,
  perPerson: 2, state: 'live', ...more,
});

test('[W14] a former price stands beside a live price, as the server found it, and nowhere else', () => {
  const { room, hear } = roomWith([item('coat', 1, [4_900, 5_900])]);
  const former = () => room.bag[0]?.product.variants.map(room.wasMinor);
  hear([{ type: 'price', productId: 'coat', variantId: 'coat2', priceMinor: 5_500 }]);
  assert.deepEqual(former(), [null, null]);
  hear([{ type: 'live-prices', items: [live(3)] }]);
  assert.deepEqual(former(), [null, 5_500]);
  hear([{ type: 'live-prices', items: [live(3, { formerMinor: null })] }]);
  assert.deepEqual(former(), [null, null]);
});

test('[W210] a live price is shown with its pieces while it can be had, and then the price of the day', () => {
  const { room, notices, hear, join } = roomWith([item('coat', 1, [4_900, 5_900])]);
  const shown = () => {
    const { priceMinor, available, held } = room.bag[0]!.product.variants[1]!;
    return [priceMinor, available, held];
  };
  hear([{ type: 'stock', levels: [{ productId: 'coat', variantId: 'coat2', available: 1, held: 4 }] }]);
  hear([{ type: 'live-prices', items: [live(3)] }]);
  assert.deepEqual(shown(), [4_000, 4, 1]);
  assert.deepEqual(notices.map((notice) => notice.kind === 'price' && notice.priceMinor), [4_000]);
  assert.equal(room.livePieces(room.bag[0]!.product), 3);
  assert.deepEqual(room.onShelf(room.bag[0]!.product.variants[1]!).priceMinor, 5_900);
  // The price of the day changes under it; somebody buys.
  hear([{ type: 'price', productId: 'coat', variantId: 'coat2', priceMinor: 6_100 }]);
  hear([{ type: 'live-prices', items: [live(2)] }]);
  assert.deepEqual(shown(), [4_000, 3, 2]);
  hear([{ type: 'live-prices', items: [live(0)] }]);
  assert.deepEqual(shown(), [6_100, 1, 4]);
  assert.equal(room.livePieces(room.bag[0]!.product), null);
  // Back after a pause.
  join({ ...snapshotOf([item('coat', 1, [4_900, 5_900])]), livePrices: [live(2)] });
  assert.deepEqual(shown(), [4_000, 7, 0]);
  // A refused order says that it is gone.
  room.learn({ variantId: 'coat2', priceMinor: 5_900 });
  assert.deepEqual(shown(), [5_900, 5, 0]);
});

test('[W15] what was asked for can be asked for again once it was on screen', () => {
  const { room, hear } = roomWith([item('coat', 1), item('hat', 2)]);
  const asked = () => [room.isAsked('coat'), room.isAsked('hat')];
  room.setAsked('coat', 1);
  room.setAsked('hat', 3);
  assert.deepEqual([...asked(), room.bag[1]?.explainRequests], [true, true, 3]);
  hear([{ type: 'on-screen', productId: 'coat', number: 1 }, { type: 'explain', productId: 'coat', count: 0 }]);
  assert.deepEqual(asked(), [false, true]);
  // The answer to asking can come after what it asked for.
  room.setAsked('coat', 0);
  hear([{ type: 'on-screen', productId: 'hat', number: 2 }]);
  assert.deepEqual(asked(), [false, false]);
  room.setAsked('coat', 1);
  assert.deepEqual(asked(), [true, false]);
});

test('[W15] a wish that was answered while the page was away is over', async () => {
  const { room } = roomWith([item('coat', 1), item('hat', 2)], async () => (
    showWith([item('coat', 1), { ...item('hat', 2), explainRequests: 1 }])
  ));
  room.setAsked('coat', 1);
  room.setAsked('hat', 1);
  await room.handlers.reload();
  assert.deepEqual([room.isAsked('coat'), room.isAsked('hat')], [false, true]);
});

test('[W16] in a show that is over, a refused order tells the new price and what is left', () => {
  const { room } = roomWith([item('coat', 1, [4_900, 5_900])]);
  room.learn({ variantId: 'coat2', priceMinor: 5_500 });
  room.learn({ variantId: 'coat1', available: 0 });
  room.learn({ variantId: 'no longer here', available: 0 });
  const [small, large] = room.bag[0]?.product.variants ?? [];
  assert.deepEqual([small?.priceMinor, small?.available], [4_900, 0]);
  assert.deepEqual([large?.priceMinor, large?.available], [5_500, 5]);
});

test('[W150] how the talk is held comes with joining and follows the room; only a change is told', () => {
  const { room, notices, hear, join } = roomWith([]);
  assert.deepEqual(room.held, { slowSeconds: 0, isQuiet: false });
  join({ ...snapshotOf([]), talk: { slowSeconds: 15, isQuiet: false } });
  assert.deepEqual([room.held.slowSeconds, notices.length], [15, 0]);
  hear([{ type: 'talk', talk: { slowSeconds: 0, isQuiet: true } }]);
  assert.equal(room.held.isQuiet, true);
  assert.deepEqual(notices.map(({ kind }) => kind), ['talk']);
});

test('[W151] words that were refused are given back whole, and leave the list', async () => {
  const { room } = roomWith([]);
  room.say('fake?');
  await sleep(0);
  const [line] = room.own;
  assert.equal(line?.state, 'failed');
  assert.equal(room.withdraw(line?.clientId ?? ''), 'fake?');
  assert.deepEqual([room.own.length, room.withdraw('unknown')], [0, '']);
});
