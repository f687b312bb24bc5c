-- A payment whose time is over before its money came: what still comes is told, and who asked for it decides.
alter table payment
  drop constraint payment_state_check,
  add constraint payment_state_check check (state in (
    'pending', 'processing', 'captured', 'declined', 'cancelled', 'expired', 'refunded'
  )),
  -- Each payment changes once or twice, in no column that an index has: with room on its page it stays there.
  set (fillfactor = 70);

-- Money came when the hold was over: the pieces were still there and the order lives again, or it goes back.
alter table "order"
  add column late_payment text check (late_payment in ('kept', 'returned')),
  add constraint order_late_payment check (
    late_payment is null
    or late_payment = 'kept' and paid_at is not null
    or late_payment = 'returned' and state in ('expired', 'declined', 'cancelled')
  );

alter table order_transition
  -- Why, where the states do not say it.
  add column reason text check (reason in ('late_payment')),
  drop constraint order_transition_check,
  add constraint order_transition_check check (coalesce(from_state, '') || ' > ' || to_state in (
    ' > held', 'held > paid', 'held > expired', 'held > declined', 'held > cancelled', 'paid > shipped',
    'paid > ready', 'paid > handed_over', 'ready > handed_over', ' > handed_over', 'handed_over > voided',
    'paid > packed', 'packed > shipped', 'shipped > delivered', 'delivered > completed', 'paid > cancelled',
    'packed > cancelled', 'ready > cancelled', 'cancelled > refunded', 'expired > paid'
  )),
  add constraint order_transition_reason check (
    (from_state is not distinct from 'expired' and to_state = 'paid') = (reason is not null)
  );

-- Who stands in line for a variant that is sold out, and whose pieces are kept. Pieces that are kept count as held in
-- stock. Whoever writes a row of a variant holds the variant's row of stock.
create table waiting (
  id uuid primary key,
  variant_id uuid not null references variant (id),
  person_id uuid not null references person (id),
  quantity integer not null check (quantity between 1 and 99),
  -- The sequence of the line.
  place bigint generated always as identity,
  state text not null check (state in ('waiting', 'kept', 'bought', 'let_go', 'lapsed', 'left')),
  -- How many are kept, which may be fewer than were asked for, and until when.
  kept integer check (kept between 1 and quantity),
  kept_until timestamptz,
  order_id uuid,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  check ((kept is null) = (state in ('waiting', 'left')) and (kept is null) = (kept_until is null)),
  check ((order_id is not null) = (state = 'bought'))
);
-- Nobody stands in one line twice.
create unique index waiting_once on waiting (variant_id, person_id) where state in ('waiting', 'kept');
create index waiting_line on waiting (variant_id, place) where state = 'waiting';
create index waiting_person on waiting (person_id) where state in ('waiting', 'kept');
create index waiting_kept on waiting (kept_until, id) where state = 'kept';

alter table stock_move
  drop constraint stock_move_reason_check,
  add constraint stock_move_reason_check check (
    reason in ('set', 'held', 'released', 'sold', 'returned', 'kept', 'let_go')
  );

-- What one person is told alone: of an order, or of pieces that are kept.
alter table notification
  alter column order_id drop not null,
  alter column order_number drop not null,
  add column waiting_id uuid references waiting (id) on delete cascade,
  -- Of the goods that are kept, as they were called; a path of ours leads there.
  add column title text,
  add column product_id uuid,
  drop constraint notification_kind_check,
  add constraint notification_kind_check check (
    kind in ('order_shipped', 'order_cancelled', 'order_paid_late', 'order_too_late', 'kept')
  ),
  add constraint notification_about check (
    (kind = 'kept') = (waiting_id is not null and title is not null and product_id is not null)
    and (kind = 'kept') = (order_id is null) and (order_id is null) = (order_number is null)
  ),
  add constraint notification_waiting unique (waiting_id, kind);
