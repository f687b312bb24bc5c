/** The token of a mailed link: it stands behind the #, which browsers tell no server. */
import { onMount } from 'svelte';

/** While a component is made. Null until the page is there; empty where the link has none. */
export function createLinkToken(): { readonly value: string | null } {
  let value = $state<string | null>(null);
  onMount(() => {
    const read = () => {
      value = location.hash.slice(1);
    };
    read();
    // Another link opened in the same tab changes only what stands behind the #.
    addEventListener('hashchange', read);
    return () => removeEventListener('hashchange', read);
  });
  return {
    get value() {
      return value;
    },
  };
}
