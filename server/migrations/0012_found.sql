-- What is spoken in a show, as a BCP 47 tag; a shop's own is what its next show begins with.
alter table shop add column language text not null default 'en' check (length(language) between 2 and 8);
update shop set language = person.locale
  from shop_member join person on person.id = shop_member.person_id
  where shop_member.shop_id = shop.id and shop_member.role = 'owner';
alter table show add column language text not null default 'en' check (length(language) between 2 and 8);
update show set language = shop.language from shop where shop.id = show.shop_id;

-- What everybody may find: shops, public shows, goods for sale. Made from the other modules' facts and made anew from
-- them when it is of another version; nothing refers to it.
create table search_entry (
  kind text not null check (kind in ('shop', 'show', 'product')),
  id uuid not null,
  shop_id uuid not null,
  -- Of a show; null for the others.
  state text check (state in ('planned', 'live', 'interrupted', 'ended')),
  -- Of a show when it begins, began or ended, by its state; of the others when they were made.
  at timestamptz not null,
  category text,
  region text,
  -- The region as it is compared.
  region_key text,
  language text,
  -- Words, and pairs of signs where words are not set apart, both folded (search-text.ts).
  words tsvector not null,
  primary key (kind, id)
);
create index search_entry_product_words on search_entry using gin (words) where kind = 'product';
create index search_entry_show_words on search_entry using gin (words) where kind = 'show';
create index search_entry_shop_words on search_entry using gin (words) where kind = 'shop';
create index search_entry_shows on search_entry (state, at, id) where kind = 'show';
create index search_entry_of_shop on search_entry (shop_id) where kind = 'show';

-- Goods of shows that run now and that everybody may see.
create table search_live (
  product_id uuid not null,
  show_id uuid not null,
  number integer not null,
  on_screen boolean not null,
  -- Those of the product's entry, with an index of their own: what is sold now is found first. Null while it has none.
  words tsvector,
  primary key (product_id, show_id)
);
create index search_live_words on search_live using gin (words);
create index search_live_show on search_live (show_id);

-- Words of titles and names, to find what was meant by one that nobody uses: those that share a form with one letter
-- left out.
create table search_word (
  word text collate "C" primary key,
  forms text[] not null
);
create index search_word_forms on search_word using gin (forms);
