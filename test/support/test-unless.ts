import test, { type Implementation } from 'ava';

/**
 * Declares tests of what a machine may not have: where something is lacking they are skipped, and counted
 * as skipped, with the lack in their titles.
 */
export function testUnless(lack: string | undefined) {
  return (title: string, implementation: Implementation<[]>) => {
    if (lack === undefined) test(title, implementation);
    else test.skip(`${title} (SKIPPED: ${lack})`, implementation);
  };
}
