-- Sales are what was paid for goods; what sending costs is not the shop's. What was given back is told apart.
alter table show_order rename column total_minor to goods_minor;
-- When the order was cancelled after it was paid.
alter table show_order add column taken_back_at timestamptz;
update show_order
   set goods_minor = "order".total_minor - "order".shipping_minor,
       taken_back_at = (
         select min(at) from order_transition
          where order_id = "order".id and from_state <> 'held' and to_state = 'cancelled'
       )
  from "order" where "order".id = show_order.order_id;

alter table show add column refunded_minor bigint not null default 0 check (refunded_minor >= 0);
update show
   set sales_minor = sold.sales, refunded_minor = sold.refunded
  from (
    select show_id, sum(goods_minor) filter (where paid_at is not null) as sales,
           coalesce(sum(goods_minor) filter (where taken_back_at is not null), 0) as refunded
      from show_order group by show_id
  ) as sold
 where sold.show_id = show.id and sold.sales is not null;
