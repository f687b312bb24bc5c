/** Who gets in: live prices. */
import type { Product } from '@nacre/contract/catalog';
import { actorOf, row, type Row, type Stage } from './account-rows.ts';
import { hiddenLeaders, hiddenRunners, leaders, runners } from './who-gets-in.ts';

const ofShow = ({ show }: Stage) => `/api/office/shows/${show.id}/live-prices`;

/** Not of the variant that others order at the price of the day. */
const newTerms = ({ variants }: Product) => ({
  variantId: variants.at(-1)!.id, priceMinor: 1, quota: 1, perPerson: 2,
});

async function newLivePrice({ offers, persons, show, product }: Stage): Promise<string> {
  return (await offers.set(actorOf(persons.owner), show.id, newTerms(product))).id;
}

export const OFFER_ROWS: Record<string, Row> = {
  listLivePrices: row(runners, (stage) => ({ path: ofShow(stage) }), { hidden: hiddenRunners }),
  setLivePrice: row(leaders, (stage) => ({ path: ofShow(stage), body: newTerms(stage.product) }), {
    hidden: hiddenLeaders,
  }),
  lowerLivePrice: row(runners, async (stage) => ({
    path: `/api/office/live-prices/${await newLivePrice(stage)}`, method: 'PATCH', body: { perPerson: 1 },
  })),
  endLivePrice: row(runners, async (stage) => ({
    path: `/api/office/live-prices/${await newLivePrice(stage)}/end`, method: 'POST',
  })),
};
