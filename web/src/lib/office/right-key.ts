/** The text that says a right in plain words. */
import type { ShopRight } from '@nacre/contract/team';

type Underscored<R extends string> = R extends `${infer Part}.${infer Verb}` ? `${Part}_${Verb}` : never;

export function rightKey(right: ShopRight): `team.right_${Underscored<ShopRight>}` {
  return `team.right_${right.replace('.', '_') as Underscored<ShopRight>}`;
}
