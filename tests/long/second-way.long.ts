/** All of tests/e2e/second-way.e2e.ts, with the weak line of the direct way too. */
process.env['NACRE_ALL_WEAK_LINES'] = '1';
await import('../e2e/second-way.e2e.ts');
