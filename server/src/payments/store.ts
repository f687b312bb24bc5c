/** SQL on `payment` and `payment_notice`. */
import type { Selectable } from 'kysely';
import type { Db, Tx } from '../platform/database.ts';
import { insertRows } from '../platform/relation.ts';
import type { Payment as PaymentTable } from '../platform/tables.ts';
import type { NoticeKind } from './provider.ts';
import type { PaymentState } from './states.ts';

export type PaymentRow = Omit<Selectable<PaymentTable>, 'state'> & { state: PaymentState };

export async function insertPayments(tx: Tx, rows: readonly PaymentRow[]): Promise<void> {
  await insertRows(tx, 'payment', rows, PAYMENT_TYPES);
}

const PAYMENT_TYPES = {
  id: 'uuid', provider: 'text', subject: 'text', payer_id: 'uuid', amount_minor: 'bigint', currency: 'text',
  description: 'text', state: 'text', expires_at: 'timestamptz', refund_requested_at: 'timestamptz',
  created_at: 'timestamptz', updated_at: 'timestamptz', method: 'text',
} as const;

/** The row, locked until the end of the transaction; null when there is none. */
export async function lockPayment(
  tx: Tx,
  by: { id: string } | { subject: string },
): Promise<PaymentRow | null> {
  const query = tx.selectFrom('payment').selectAll().forUpdate();
  const found = 'id' in by ? query.where('id', '=', by.id) : query.where('subject', '=', by.subject);
  return ((await found.executeTakeFirst()) as PaymentRow | undefined) ?? null;
}

export async function readPayment(db: Db, id: string): Promise<PaymentRow | null> {
  const row = await db.selectFrom('payment').selectAll().where('id', '=', id).executeTakeFirst();
  return (row as PaymentRow | undefined) ?? null;
}

export async function idsBySubject(db: Db, subjects: string[]): Promise<{ id: string; subject: string }[]> {
  if (subjects.length === 0) return [];
  return db.selectFrom('payment').select(['id', 'subject']).where('subject', 'in', subjects).execute();
}

export async function setState(
  tx: Tx,
  id: string,
  change: { state: PaymentState; refundRequestedAt?: Date; at: Date },
): Promise<void> {
  await tx
    .updateTable('payment')
    .set({
      state: change.state,
      updated_at: change.at,
      ...(change.refundRequestedAt === undefined ? {} : { refund_requested_at: change.refundRequestedAt }),
    })
    .where('id', '=', id)
    .execute();
}

/** False when this very notice is there already. */
export async function insertNotice(
  tx: Tx,
  notice: { provider: string; noticeId: string; paymentId: string; kind: NoticeKind; at: Date },
): Promise<boolean> {
  const inserted = await tx
    .insertInto('payment_notice')
    .values({
      provider: notice.provider,
      notice_id: notice.noticeId,
      payment_id: notice.paymentId,
      kind: notice.kind,
      received_at: notice.at,
    })
    .onConflict((conflict) => conflict.columns(['provider', 'notice_id']).doNothing())
    .returning('notice_id')
    .executeTakeFirst();
  return inserted !== undefined;
}
