/**
 * Whether the bag has room beside the picture. Drawn on a phone, unseen, it costs a quarter of the page's work.
 * Called while a component is made; `initial` is what the server took the device for.
 */
export function watchWide(initial: boolean): { readonly is: boolean } {
  let is = $state(initial);
  $effect(() => {
    const query = matchMedia('(min-width: 40rem)');
    const look = () => (is = query.matches);
    look();
    query.addEventListener('change', look);
    return () => query.removeEventListener('change', look);
  });
  return {
    get is() {
      return is;
    },
  };
}
