import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SHOP_RIGHTS, SHOP_ROLES } from '@nacre/contract/team';
import { mayDecideOn, rightsOf } from './rights.ts';

describe('rights', () => {
  it('[SP20] each role may do what the table says, and the owner everything', () => {
    assert.deepEqual(rightsOf('owner').toSorted(), SHOP_RIGHTS.toSorted());
    assert.deepEqual(rightsOf('manager'), SHOP_RIGHTS.filter((right) => right !== 'team.owners'));
    assert.deepEqual(rightsOf('host'), [
      'shop.see', 'goods.see', 'show.see', 'show.run', 'talk.moderate', 'figures.see',
    ]);
    assert.deepEqual(rightsOf('moderator'), ['shop.see', 'talk.moderate']);
    assert.deepEqual(rightsOf('packer'), [
      'shop.see', 'goods.see', 'stock.change', 'orders.see', 'orders.ship', 'counter.sell',
    ]);
  });

  it('[SP22] owners decide on all roles, managers on all but owners, others on none', () => {
    const mayOn = (mine: (typeof SHOP_ROLES)[number]) => SHOP_ROLES.filter((theirs) => mayDecideOn(mine, theirs));
    assert.deepEqual(SHOP_ROLES.map(mayOn), [SHOP_ROLES, ['manager', 'host', 'moderator', 'packer'], [], [], []]);
  });
});
