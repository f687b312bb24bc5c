/**
 * How often fifty go for the last of something at once. A hundred on the PostgreSQL that Nacre brings; on the other
 * version only that it comes to the same there, since chance has had its turns by then.
 */
export const RUSH_ROUNDS = process.env['NACRE_TEST_POSTGRES'] === '15' ? 10 : 100;
