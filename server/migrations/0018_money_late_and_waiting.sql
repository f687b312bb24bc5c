-- A payment whose time is over before its money came: what still comes is told, and who asked for it decides.
alter table payment
  drop constraint payment_state_check,
  add constraint payment_state_check check (state in (
    'pending', 'processing', 'captured', 'declined', 'cancelled', 'expired', 'refunded'
  ));

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
    'expired > paid'
  )),
  add constraint order_transition_reason check (
    (from_state is not distinct from 'expired' and to_state = 'paid') = (reason is not null)
  );
