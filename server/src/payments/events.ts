/** What payments tells the others, through the outbox. `subject` is what `create` was given: `order/<uuid>`. */

/** `payments.captured`: the money is there, in time. */
export interface PaymentCaptured {
  paymentId: string;
  subject: string;
}

/** `payments.declined`: the payer's bank, or the payer, said no. Final. */
export interface PaymentDeclined {
  paymentId: string;
  subject: string;
}

/** `payments.refunded`: all of it went back. */
export interface PaymentRefunded {
  paymentId: string;
  subject: string;
}

export interface PaymentFacts {
  'payments.captured': PaymentCaptured;
  'payments.declined': PaymentDeclined;
  'payments.refunded': PaymentRefunded;
}
