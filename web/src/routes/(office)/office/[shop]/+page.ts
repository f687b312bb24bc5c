import { redirect } from '@sveltejs/kit';
import { officeHome } from '#lib/office/rights.ts';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ params, parent }) => {
  const { me } = await parent();
  const mine = me.shops.find((shop) => shop.slug === params.shop);
  // A stranger is told on the page itself.
  redirect(307, mine ? officeHome(mine) : `/office/${params.shop}/shows`);
};
