/** `operator EMAIL`: makes the account with that e-mail an operator of the market. */
import pg from 'pg';
import { StartRefusal } from '../platform/start-refusal.ts';

/** Repeatable. @returns the sentence to print; throws a StartRefusal when no such account can be one. */
export async function makeOperator(ownerUrl: string, email: string): Promise<string> {
  const owner = new pg.Client({ connectionString: ownerUrl });
  await owner.connect();
  try {
    const { rows } = await owner.query<{ name: string; is_demo: boolean; is_operator: boolean }>(
      'select name, is_demo, is_operator from person where email = lower($1)', [email],
    );
    const person = rows[0];
    if (!person) {
      throw new StartRefusal(
        `There is no account with the e-mail ${email}. Sign up with it in the browser first, then run this again.`,
      );
    }
    if (person.is_demo) {
      throw new StartRefusal(
        `${email} is a demo account, whose password everybody knows. Sign up with an e-mail of your own.`,
      );
    }
    if (person.is_operator) return `${person.name} (${email}) is an operator already.`;
    await owner.query('update person set is_operator = true where email = lower($1)', [email]);
    return `${person.name} (${email}) is an operator now. It holds within a minute, at once after signing in anew.`;
  } finally {
    await owner.end();
  }
}
