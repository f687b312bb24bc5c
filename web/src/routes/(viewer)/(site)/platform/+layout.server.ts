import { error } from '@sveltejs/kit';
import { signInFirst } from '#lib/server/person.ts';
import type { LayoutServerLoad } from './$types';

/** Operators only; the server refuses everybody else whatever the page shows. */
export const load: LayoutServerLoad = async ({ parent, url }) => {
  const { me } = await parent();
  signInFirst(me, url);
  const code = 'accounts.operator_only';
  if (!me.person?.isOperator) error(403, { message: code, code });
};
