-- A shop may be a place: { address, hours }, see ShopPlace of the contract.
alter table shop
  add column place jsonb,
  add column offers_pickup boolean not null default false,
  add constraint shop_pickup_has_place check (place is not null or not offers_pickup);

-- A scanner at the counter asks by SKU, whose letters' case nobody heeds.
create index variant_sku on variant (lower(sku)) where not withdrawn;

alter table "order"
  alter column buyer_id drop not null,
  alter column address drop not null,
  add column channel text not null default 'online' check (channel in ('online', 'show', 'counter')),
  add column delivery text not null default 'parcel' check (delivery in ('parcel', 'pickup', 'counter')),
  -- { name, phone, place }: who comes, and the shop's place as it was.
  add column pickup jsonb,
  -- From the payment on; it stays when the goods are gone, and may then be another's.
  add column pickup_code text check (length(pickup_code) = 6),
  add column counter_method text check (counter_method in ('cash', 'card')),
  add column ready_at timestamptz,
  add column handed_over_at timestamptz,
  add column voided_at timestamptz;
update "order" set channel = 'show' where show_id is not null;
alter table "order"
  alter column channel drop default,
  alter column delivery drop default,
  drop constraint order_state_check,
  drop constraint order_check,
  drop constraint order_check1,
  add constraint order_state_check check (state in (
    'held', 'paid', 'ready', 'handed_over', 'shipped', 'expired', 'declined', 'cancelled', 'voided'
  )),
  add constraint order_paid_at check (
    (paid_at is not null) = (state in ('paid', 'ready', 'handed_over', 'shipped', 'voided'))
  ),
  add constraint order_parcel check (
    (shipped_at is not null and carrier is not null and tracking_number is not null) = (state = 'shipped')
  ),
  add constraint order_handed_over_at check ((handed_over_at is not null) = (state in ('handed_over', 'voided'))),
  add constraint order_ready_at check (state <> 'ready' or ready_at is not null),
  add constraint order_voided_at check ((voided_at is not null) = (state = 'voided')),
  -- Only who buys over the counter need not say who they are.
  add constraint order_buyer check ((buyer_id is null) = (channel = 'counter')),
  add constraint order_show_channel check ((show_id is not null) = (channel = 'show')),
  add constraint order_counter check (
    (channel = 'counter') = (delivery = 'counter') and (channel = 'counter') = (counter_method is not null)
  ),
  add constraint order_address check ((address is not null) = (delivery = 'parcel')),
  add constraint order_pickup check ((pickup is not null) = (delivery = 'pickup')),
  add constraint order_pickup_code check (
    (pickup_code is not null) = (delivery = 'pickup' and state in ('paid', 'ready', 'handed_over'))
  ),
  -- Each delivery has its own ways; states.ts has the same table.
  add constraint order_delivery_state check (case delivery
    when 'parcel' then state in ('held', 'paid', 'shipped', 'expired', 'declined', 'cancelled')
    when 'pickup' then state in ('held', 'paid', 'ready', 'handed_over', 'expired', 'declined', 'cancelled')
    else state in ('handed_over', 'voided')
  end);
create unique index order_counter_key on "order" (shop_id, idempotency_key) where channel = 'counter';
create unique index order_open_pickup on "order" (shop_id, pickup_code) where state in ('paid', 'ready');
create index order_shop_counter on "order" (shop_id, placed_at desc, id desc) where channel = 'counter';

alter table order_transition
  drop constraint order_transition_check,
  add constraint order_transition_check check (coalesce(from_state, '') || ' > ' || to_state in (
    ' > held', 'held > paid', 'held > expired', 'held > declined', 'held > cancelled', 'paid > shipped',
    'paid > ready', 'paid > handed_over', 'ready > handed_over', ' > handed_over', 'handed_over > voided'
  ));

-- The shop took the money itself: there is no payer that we know, and nothing to wait for.
alter table payment
  alter column payer_id drop not null,
  add column method text check (method in ('cash', 'card')),
  add constraint payment_counter check (
    (payer_id is null) = (provider = 'counter') and (method is not null) = (provider = 'counter')
  );
