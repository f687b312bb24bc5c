/**
 * Every expected "no" of the server: a stable code, its HTTP status and an English title.
 *
 * The web translates codes (`refusal.<code>`); a code that is here and not in its catalogues fails `npm run check`.
 * Codes are never reused for another meaning.
 */
export const REFUSALS = {
  // http
  'request.invalid': { status: 400, title: 'Something in the request is not as it should be' },
  'request.not_found': { status: 404, title: 'There is nothing at this address' },
  'request.method': { status: 405, title: 'This address does not do that' },
  'request.too_large': { status: 413, title: 'That is too large' },
  'request.media_type': { status: 415, title: 'This kind of content is not taken here' },
  'request.too_many': { status: 429, title: 'Too many requests; wait a moment' },
  'request.origin': { status: 403, title: 'The request comes from another site' },
  'server.failed': { status: 500, title: 'Something went wrong on our side' },
  'server.busy': { status: 503, title: 'The server is busy; try again in a moment' },
  'server.full': { status: 503, title: 'The disk of the server is full; nothing more can be kept' },

  // accounts
  'accounts.sign_in_first': { status: 401, title: 'Sign in first' },
  'accounts.wrong_credentials': { status: 401, title: 'E-mail or password is wrong' },
  'accounts.email_taken': { status: 422, title: 'There is an account with this e-mail already' },
  'accounts.password_too_short': { status: 422, title: 'The password needs 8 characters or more' },
  'accounts.password_too_long': { status: 422, title: 'The password may have 128 characters at most' },
  'accounts.email_invalid': { status: 422, title: 'This is not an e-mail address' },
  'accounts.demo_only_here': {
    status: 403,
    title: 'Demo accounts work only in a browser on the machine that runs Nacre',
  },
  'accounts.demo_password': { status: 403, title: 'Everybody may know the password of a demo account; it stays' },
  'accounts.operator_only': { status: 403, title: 'Only operators of this market may do this' },
  'accounts.link_over': { status: 422, title: 'This link is used, or older than an hour; ask for another one' },
  'accounts.phone_invalid': { status: 422, title: 'A code cannot be sent to this number; check it and its country' },
  'accounts.phone_taken': { status: 422, title: 'Another account has this number' },
  'accounts.code_wrong': { status: 422, title: 'The code is not right; the details say how many tries are left' },
  'accounts.code_over': { status: 422, title: 'The code is used, too old or tried too often; ask for another one' },
  'accounts.code_not_sent': {
    status: 429,
    title: 'No further code is sent for now; one that was sent stays good, and there are other ways to sign in',
  },
  'accounts.name_needed': { status: 422, title: 'The code is right; this account needs a name' },
  'accounts.demo_ways': { status: 403, title: 'A demo account is everybody’s; how to sign in to it stays' },
  'accounts.last_way': { status: 409, title: 'This is the last way to reach your account; add another one first' },
  'accounts.confirm_first': { status: 403, title: 'Show once more that it is you' },
  'accounts.passkey_unknown': { status: 401, title: 'No account here knows this passkey' },
  'accounts.passkey_failed': { status: 422, title: 'The passkey could not be checked; try again' },
  'accounts.passkey_not_here': { status: 422, title: 'Passkeys do not work at this address of the server' },
  'accounts.passkey_known': { status: 409, title: 'This passkey is there already' },
  'accounts.too_many_passkeys': { status: 422, title: 'There are as many passkeys as one person may have' },
  'accounts.email_proof_over': { status: 422, title: 'This link that confirms an e-mail was used or is too old' },
  'accounts.email_proof_of_other': { status: 422, title: 'This link confirms the e-mail of another account' },
  'accounts.email_link_over': { status: 422, title: 'This link was used, is too old, or its session has ended' },
  'accounts.too_many_addresses': { status: 422, title: 'The address book is full; remove one first' },

  // images
  'images.not_an_image': { status: 415, title: 'This file is not a picture (JPEG, PNG, WebP, AVIF or GIF)' },
  'images.too_large': { status: 413, title: 'The picture is larger than 15 MB or 50 megapixels' },
  'images.too_small': { status: 422, title: 'The picture is smaller than 64 pixels' },
  'images.too_many': { status: 429, title: 'You have uploaded as many pictures today as one person may' },
  'images.unknown': { status: 422, title: 'This picture does not exist; upload it again' },

  // shops
  'shops.not_found': { status: 404, title: 'There is no such shop' },
  'shops.not_a_member': { status: 403, title: 'Only members of the shop may do this' },
  'shops.not_allowed': { status: 403, title: 'Your role in the shop does not include this' },
  'shops.slug_taken': { status: 409, title: 'Another shop has this address' },
  'shops.no_place': { status: 422, title: 'Pick-up needs the address of the shop' },
  'shops.too_many': { status: 422, title: 'You have as many shops as one person may have' },
  'shops.member_not_found': { status: 404, title: 'Nobody of this team is there' },
  'shops.last_owner': { status: 409, title: 'A shop keeps one owner; make somebody else an owner first' },
  'shops.team_full': { status: 422, title: 'The team has as many members as a team may have' },
  'shops.already_member': { status: 409, title: 'You work in this shop already' },
  'shops.invitation_not_found': { status: 404, title: 'There is no such invitation' },
  'shops.invitation_over': { status: 410, title: 'This invitation was used, taken back, or is too old' },
  'shops.too_many_invitations': { status: 422, title: 'Too many invitations are open; take one back first' },

  // catalog
  'catalog.not_found': { status: 404, title: 'There is no such product' },
  'catalog.options_mismatch': { status: 422, title: 'Variants and options do not fit together' },
  'catalog.nothing_to_sell': { status: 422, title: 'A product needs a variant before it can be sold' },
  'catalog.stock_too_low': { status: 409, title: 'There are not that many pieces' },

  // shows
  'shows.not_found': { status: 404, title: 'There is no such show' },
  'shows.wrong_state': { status: 409, title: 'The show is not in a state for this' },
  'shows.not_live': { status: 409, title: 'The show is not live' },
  'shows.not_in_bag': { status: 422, title: 'This product is not in the bag of the show' },
  'shows.foreign_product': { status: 422, title: 'This product belongs to another shop or is not for sale' },
  'shows.bag_full': { status: 422, title: 'The bag is full' },
  'shows.not_counted': { status: 403, title: 'Only who sends our cookie along is counted; ask again with it' },

  // video
  'video.key_missing': { status: 401, title: 'A stream key is needed (Authorization: Bearer …)' },
  'video.key_wrong': { status: 401, title: 'This stream key is not valid any more' },
  'video.session_not_found': { status: 404, title: 'There is no such publishing session' },
  'video.offer_unusable': { status: 422, title: 'The offer cannot be used' },
  'video.codec': { status: 422, title: 'The stream must be H.264 video with Opus sound' },
  'video.ice_restart': { status: 422, title: 'ICE restart is not possible; publish anew' },
  'video.down': { status: 503, title: 'Video is starting; try again in a second' },
  'video.full': { status: 503, title: 'As many shows are live as this server can take' },
  'video.replaced': { status: 410, title: 'Another device publishes this show now' },
  'video.tag_missing': { status: 428, title: 'Name the connection (If-Match: the ETag of the answer)' },
  'video.stale_session': { status: 412, title: 'This message belongs to an earlier connection' },
  'video.socket_only': { status: 426, title: 'Open a WebSocket at this address' },
  'video.no_picture': { status: 404, title: 'There is no picture at this address' },
  'recordings.no_clip': { status: 404, title: 'There is no clip at this address' },
  'recordings.not_shown': { status: 409, title: 'This product was not on screen in this show' },
  'recordings.running': { status: 409, title: 'The show still runs; end it first' },
  'video.viewers_full': { status: 503, title: 'As many people watch as this server can take' },

  // chat
  'chat.too_long': { status: 422, title: 'A message may have 200 characters' },
  'chat.empty': { status: 422, title: 'There is nothing in the message' },
  'chat.too_fast': { status: 429, title: 'Slowly; a few seconds between messages' },
  'chat.closed': { status: 409, title: 'The talk of this show is closed' },
  'chat.not_found': { status: 404, title: 'There is no such message' },
  'chat.slow': { status: 429, title: 'The host has slowed the talk; wait until the time is over' },
  'chat.quiet': { status: 409, title: 'The host has paused the talk' },
  'chat.word': { status: 422, title: 'The shop does not take messages with these words; say it in other words' },

  // moderation
  'moderation.muted': {
    status: 403,
    title: 'You may not write at present; the details say why and until when',
  },
  'moderation.banned': {
    status: 403,
    title: 'This shop keeps you out of its shows; the details say why and until when',
  },
  'moderation.suspended': { status: 403, title: 'The operator does not let this shop go live at present' },
  'moderation.not_found': { status: 404, title: 'There is no such measure, report or appeal' },
  'moderation.thing_not_found': { status: 404, title: 'What you want to report is not there' },
  'moderation.on_team': { status: 409, title: 'This person works in the shop' },
  'moderation.too_many': { status: 409, title: 'Too many measures are in force; lift some first' },
  'moderation.words_needed': { status: 422, title: 'Say in a few words what it is about' },
  'moderation.word_list': { status: 422, title: 'A word list has 500 entries of 1 to 40 characters' },
  'moderation.reported_already': { status: 409, title: 'You have reported this already' },
  'moderation.too_many_reports': { status: 429, title: 'You have reported as much today as one person may' },
  'moderation.decided_already': { status: 409, title: 'This is decided already' },
  'moderation.not_possible': { status: 422, title: 'This cannot be done about what was reported' },
  'moderation.appealed_already': { status: 409, title: 'You have appealed against this already' },
  'moderation.appeal_over': { status: 410, title: 'A measure can be appealed for six months' },

  // orders
  'orders.not_found': { status: 404, title: 'There is no such order' },
  'orders.sold_out': { status: 409, title: 'Somebody else was quicker; there are not enough left' },
  'orders.price_changed': { status: 409, title: 'The price has changed' },
  'orders.shipping_changed': { status: 409, title: 'Sending costs something else by now' },
  'orders.not_for_sale': { status: 409, title: 'This is not for sale any more' },
  'orders.too_many_pieces': { status: 422, title: 'That is more than one order may have' },
  'orders.key_reused': { status: 422, title: 'This order was sent before with other contents' },
  'orders.wrong_state': { status: 409, title: 'The order is not in a state for this' },
  'orders.parcel_known': { status: 409, title: 'A parcel of this order with this number was sent with other contents' },
  'orders.nothing_left': { status: 409, title: 'That many pieces are not left to be sent' },
  'orders.too_many_parcels': { status: 409, title: 'That is more parcels than one order may have' },
  'orders.on_its_way': { status: 409, title: 'A part of the order is on its way; it cannot be cancelled as a whole' },
  'waits.not_for_sale': { status: 422, title: 'This is not sold any more; nobody can wait for it' },
  'waits.in_stock': { status: 409, title: 'There is some left; no need to wait' },
  'waits.too_many': { status: 422, title: 'You wait in as many lines as one person may; leave one first' },
  'waits.line_full': { status: 422, title: 'The line for this is too long already' },
  'waits.not_found': { status: 404, title: 'There is no such place in line' },
  'payments.rush': { status: 429, title: 'So many are paying that this payment has to wait; nothing was charged yet' },
  'orders.rush': { status: 429, title: 'So many are ordering that this order has to wait; it was not placed yet' },
  'offers.not_found': { status: 404, title: 'There is no such live price, or it is over' },
  'offers.not_lower': { status: 422, title: 'A live price has to be below the price of the day' },
  'offers.only_lower': { status: 422, title: 'Quota and limit of a live price can only be lowered' },
  'offers.already_sold': { status: 409, title: 'More pieces than that are ordered at this price already' },
  'offers.too_many': { status: 422, title: 'A show has no more live prices than this' },
  'offers.limit': { status: 409, title: 'Nobody gets more pieces than this at the live price' },
  'offers.few_left': { status: 409, title: 'Fewer pieces than that are left at the live price' },
  'coupons.not_found': { status: 404, title: 'There is no such coupon' },
  'coupons.all_claimed': { status: 409, title: 'All of these coupons are claimed' },
  'coupons.early': { status: 409, title: 'This coupon can be claimed later; the details say from when' },
  'coupons.over': { status: 409, title: 'The time of this coupon is over' },
  'coupons.only_in_show': { status: 409, title: 'This coupon is claimed in its show only, while that is live' },
  'coupons.rush': { status: 429, title: 'So many are claiming coupons that this has to wait; it was not claimed yet' },
  'coupons.used': { status: 409, title: 'Another order has this coupon' },
  'coupons.not_fitting': { status: 409, title: 'The coupon is not for these goods, or they cost less than it needs' },
  'coupons.discount_changed': { status: 409, title: 'The coupon takes off another amount by now' },
  'coupons.too_many': { status: 422, title: 'A shop has no more coupons at a time than this; end one first' },
  'coupons.only_lower': { status: 422, title: 'Of a coupon, the number there are can only be lowered' },
  'coupons.already_claimed': { status: 409, title: 'More of these coupons than that are claimed already' },
  'orders.no_pickup': { status: 409, title: 'The shop hands nothing over in person just now' },
  'orders.code_unknown': { status: 404, title: 'No order waits to be picked up under this code' },
  'orders.no_promise': { status: 404, title: 'What was promised was not kept with this order' },
  'orders.void_too_late': { status: 409, title: 'The time to undo this sale is over' },
  'orders.too_many_open': { status: 409, title: 'Pay for the orders you have open first' },

  // carts
  'carts.full': { status: 422, title: 'The cart has no room for this; the details say how much it takes' },

  // payments
  'payments.not_found': { status: 404, title: 'There is no such payment' },
  'payments.not_pending': { status: 409, title: 'This payment is already decided' },
  'payments.expired': { status: 409, title: 'The time to pay is over' },

  // notifications
  'notifications.endpoint': { status: 422, title: 'This address is not one of a push service' },

  // realtime
  'realtime.version': { status: 400, title: 'The page is older or newer than the server; reload it' },
  'realtime.room': { status: 404, title: 'There is no such room, or it is not open to you' },
  'realtime.line_gone': { status: 404, title: 'This connection is closed; open another one' },
  'realtime.flood': { status: 429, title: 'Too many messages on one connection' },
} as const;

export type RefusalCode = keyof typeof REFUSALS;
