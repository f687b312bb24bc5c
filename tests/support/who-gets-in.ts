/** Whom a route lets in, for the table of `http/authorisation.db.test.ts`. */

/** Who works in the shop. */
export const TEAM = ['owner', 'manager', 'host', 'moderator', 'packer'] as const;
export type Role = (typeof TEAM)[number];
/** The stranger keeps another shop; the buyer ordered from this one. */
export const PEOPLE = ['guest', 'stranger', 'buyer', 'operator', ...TEAM] as const;
export type Who = (typeof PEOPLE)[number];

/** What each gets: `in`, or the code of the refusal. */
export type Gets = Readonly<Record<Who, string>>;

export const SIGN_IN_FIRST = 'accounts.sign_in_first';
export const NOT_ALLOWED = 'shops.not_allowed';
export const team = (outcome: string) => (
  { owner: outcome, manager: outcome, host: outcome, moderator: outcome, packer: outcome }
);
export const all = (outcome: string): Gets => (
  { guest: outcome, stranger: outcome, buyer: outcome, operator: outcome, ...team(outcome) }
);
export const everybody = all('in');
export const people: Gets = { ...everybody, guest: SIGN_IN_FIRST };
/** Members of these roles; other members are refused as such, and everybody else by `code`. */
export const officeOr = (code: string, ...roles: Role[]): Gets => ({
  guest: SIGN_IN_FIRST, stranger: code, buyer: code, operator: code, ...team(NOT_ALLOWED),
  ...Object.fromEntries(roles.map((role) => [role, 'in'])),
});
export const office = (...roles: Role[]): Gets => officeOr('shops.not_a_member', ...roles);
export const leaders = office('owner', 'manager');
export const runners = office('owner', 'manager', 'host');
export const moderators = office('owner', 'manager', 'host', 'moderator');
export const operators: Gets = { ...all('accounts.operator_only'), guest: SIGN_IN_FIRST, operator: 'in' };
export const packers = office('owner', 'manager', 'packer');
export const orderPackers = officeOr('orders.not_found', 'owner', 'manager', 'packer');
export const orderLeaders = officeOr('orders.not_found', 'owner', 'manager');
export const members = office(...TEAM);
export const goodsPeople = office('owner', 'manager', 'host', 'packer');
export const buyerOr = (code: string): Gets => (
  { guest: SIGN_IN_FIRST, stranger: code, buyer: 'in', operator: code, ...team(code) }
);
/** Of a private show. */
export const hidden: Gets = { ...all('shows.not_found'), ...team('in') };
export const hiddenFromPeople: Gets = { ...hidden, guest: SIGN_IN_FIRST };
export const hiddenLeaders = officeOr('shows.not_found', 'owner', 'manager');
export const hiddenModerators = officeOr('shows.not_found', 'owner', 'manager', 'host', 'moderator');
export const hiddenRunners = officeOr('shows.not_found', 'owner', 'manager', 'host');
