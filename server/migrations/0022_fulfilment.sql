-- What becomes of a paid order: packed, sent in one parcel or several, arrived, completed; or cancelled and refunded.

-- A parcel of an order, append-only: what was handed to a carrier does not change.
create table order_parcel (
  id uuid primary key,
  order_id uuid not null references "order" (id),
  -- From 1, in the sequence in which they were sent.
  number integer not null check (number between 1 and 20),
  carrier text not null check (length(carrier) between 1 and 60),
  tracking_number text not null check (length(tracking_number) between 1 and 80),
  sent_at timestamptz not null,
  unique (order_id, number),
  -- The same parcel again is no other.
  unique (order_id, carrier, tracking_number)
);
comment on table order_parcel is 'append-only';

-- How many pieces of which line are in it.
create table order_parcel_piece (
  parcel_id uuid not null references order_parcel (id),
  order_id uuid not null,
  position integer not null,
  quantity integer not null check (quantity > 0),
  primary key (parcel_id, position),
  foreign key (order_id, position) references order_line (order_id, position)
);
create index order_parcel_piece_line on order_parcel_piece (order_id, position);
comment on table order_parcel_piece is 'append-only';

-- Until now an order was one parcel with everything in it.
insert into order_parcel (id, order_id, number, carrier, tracking_number, sent_at)
  select id, id, 1, left(carrier, 60), left(tracking_number, 80), shipped_at from "order" where state = 'shipped';
insert into order_parcel_piece (parcel_id, order_id, position, quantity)
  select line.order_id, line.order_id, line.position, line.quantity
    from order_line line
    join order_parcel on order_parcel.order_id = line.order_id;

alter table "order"
  add column delivered_at timestamptz,
  add column cancelled_by text check (cancelled_by in ('buyer', 'shop')),
  add column cancel_reason text check (cancel_reason in ('out_of_stock', 'damaged', 'address', 'buyer_asked', 'other')),
  add column cancel_note text check (length(cancel_note) <= 500);
update "order" set cancelled_by = 'buyer' where state = 'cancelled';
alter table "order"
  drop constraint order_parcel,
  drop column carrier,
  drop column tracking_number,
  drop constraint order_state_check,
  add constraint order_state_check check (state in (
    'held', 'paid', 'packed', 'ready', 'handed_over', 'shipped', 'delivered', 'completed', 'expired', 'declined',
    'cancelled', 'refunded', 'voided'
  )),
  drop constraint order_paid_at,
  -- What was cancelled may have been paid or not.
  add constraint order_paid_at check (state = 'cancelled' or (paid_at is not null) = (state in (
    'paid', 'packed', 'ready', 'handed_over', 'shipped', 'delivered', 'completed', 'refunded', 'voided'
  ))),
  add constraint order_shipped_at check ((shipped_at is not null) = (state in ('shipped', 'delivered', 'completed'))),
  add constraint order_delivered_at check ((delivered_at is not null) = (state in ('delivered', 'completed'))),
  add constraint order_cancelled_by check ((cancelled_by is not null) = (state in ('cancelled', 'refunded'))),
  add constraint order_cancel_reason check (
    (cancelled_by is not distinct from 'shop') = (cancel_reason is not null)
    and (cancel_note is null or cancel_reason is not null)
  ),
  drop constraint order_delivery_state,
  -- Each delivery has its own ways; states.ts has the same table.
  add constraint order_delivery_state check (case delivery
    when 'parcel' then state in (
      'held', 'paid', 'packed', 'shipped', 'delivered', 'completed', 'expired', 'declined', 'cancelled', 'refunded'
    )
    when 'pickup' then state in (
      'held', 'paid', 'ready', 'handed_over', 'expired', 'declined', 'cancelled', 'refunded'
    )
    else state in ('handed_over', 'voided')
  end);
create index order_on_its_way on "order" (shipped_at, id) where state = 'shipped';
create index order_arrived on "order" (delivered_at, id) where state = 'delivered';
-- The office asks by number, in one shop.
create index order_shop_number on "order" (shop_id, number);

alter table order_transition
  drop constraint order_transition_check,
  add constraint order_transition_check check (coalesce(from_state, '') || ' > ' || to_state in (
    ' > held', 'held > paid', 'held > expired', 'held > declined', 'held > cancelled', 'paid > shipped',
    'paid > ready', 'paid > handed_over', 'ready > handed_over', ' > handed_over', 'handed_over > voided',
    'paid > packed', 'packed > shipped', 'shipped > delivered', 'delivered > completed', 'paid > cancelled',
    'packed > cancelled', 'ready > cancelled', 'cancelled > refunded'
  ));

alter table notification
  drop constraint notification_kind_check,
  add constraint notification_kind_check check (kind in ('order_shipped', 'order_cancelled'));
