import { redirect } from '@sveltejs/kit';
import { officeHome } from '#lib/office/rights.ts';
import type { PageLoad } from './$types';

/** One shop: straight into it. None: open one. Several: the page asks which. */
export const load: PageLoad = async ({ parent }) => {
  const { me } = await parent();
  const [first, second] = me.shops;
  if (me.person && !first) redirect(307, '/office/new');
  if (first && !second) redirect(307, officeHome(first));
};
