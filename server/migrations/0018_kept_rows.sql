-- Foreign keys cost an order in a rush more than all else of its writing together: a look-up and a lock for each row and
-- key, one by one. What they promise is kept in another way (docs/decisions/0011-orders-in-batches.md): the writer has
-- read the rows referred to in its own transaction, and nobody may delete a row of these tables.
alter table "order"
  drop constraint order_shop_id_fkey,
  drop constraint order_buyer_id_fkey,
  drop constraint order_show_id_fkey;
alter table order_line
  drop constraint order_line_order_id_fkey,
  drop constraint order_line_variant_id_fkey,
  drop constraint order_line_product_id_fkey;
alter table order_transition drop constraint order_transition_order_id_fkey;
alter table stock_move drop constraint stock_move_variant_id_fkey;
alter table payment drop constraint payment_payer_id_fkey;
alter table payment_notice drop constraint payment_notice_payment_id_fkey;

comment on table person is 'never-deleted';
comment on table shop is 'never-deleted';
comment on table show is 'never-deleted';
comment on table product is 'never-deleted';
comment on table variant is 'never-deleted';
comment on table stock is 'never-deleted';
comment on table "order" is 'never-deleted';
comment on table order_line is 'never-deleted';
comment on table payment is 'never-deleted';
