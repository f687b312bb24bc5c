/** Where a parcel goes: one of the person's address book, or another. */
import type { Address, SavedAddress } from '@nacre/contract/accounts';
import type { Page } from '@nacre/contract/common';
import { api, ask } from '#lib/api.ts';

export function createAddressChoice() {
  let addresses = $state.raw<SavedAddress[]>([]);
  let address = $state.raw<Address | null>(null);
  let save = $state(true);
  let isKnown = false;

  return {
    get addresses() {
      return addresses;
    },
    get address() {
      return address;
    },
    /** Whether the address is to be kept in the book. */
    get save() {
      return save;
    },
    /**
     * Takes the address book of the person, once it could be had; the newest is used unless another was chosen.
     */
    async load(): Promise<void> {
      if (isKnown) return;
      const page = await ask(api.GET('/api/me/addresses')).catch(() => null);
      if (!page) return;
      isKnown = true;
      addresses = (page as Page<SavedAddress>).items;
      address ??= addresses[0]?.address ?? null;
      if (address === addresses[0]?.address) save = false;
    },
    use(next: Address, keep: boolean): void {
      address = next;
      save = keep;
    },
  };
}
