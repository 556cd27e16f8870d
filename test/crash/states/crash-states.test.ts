import test from 'ava';
import { FastRandom } from '../../support/fast-random.ts';
import { Checker } from '../checker.ts';
import { crashStates } from './crash-states.ts';
import type { Effect } from './effect.ts';
import { examine } from './examine.ts';
import { History } from './history.ts';
import { Tree } from './tree.ts';

test('what is not synced may be lost, and what is synced is in every state', (t) => {
  const effects: readonly Effect[] = [
    { kind: 'create', path: '/synced', file: 1 },
    { kind: 'write', file: 1, position: 0, bytes: Buffer.from('kept') },
    { kind: 'sync', file: 1 },
    { kind: 'syncDirectory', path: '/' },
    { kind: 'create', path: '/new', file: 2 },
    { kind: 'write', file: 1, position: 4, bytes: Buffer.from(' or not') },
  ];

  const states = [...crashStates(new Tree(), effects, 1000, new FastRandom(1))];

  const contents = states.map((state) => state.files.get(1)?.bytes.toString() ?? 'missing');
  t.true(contents.every((content) => content.startsWith('kept')));
  t.true(contents.includes('kept') && contents.includes('kept or not'));
  t.true(states.some((state) => state.fileAt('/new') === undefined));
});

test('the states of a journal that keeps its promises hold every acknowledged record', async (t) => {
  t.is(await lossesWithout(t.teardown, () => false), 0);
});

test('a journal that does not sync its files is found to lose records', async (t) => {
  t.true((await lossesWithout(t.teardown, ({ kind }) => kind === 'sync')) > 0);
});

test('a journal that does not sync its directories is found to lose records', async (t) => {
  t.true((await lossesWithout(t.teardown, ({ kind }) => kind === 'syncDirectory')) > 0);
});

/** In how many states of a small history something is lost or wrong when these effects do not come about. */
async function lossesWithout(
  atEnd: (act: () => void) => void,
  isLeftOut: (effect: Effect) => boolean,
): Promise<number> {
  const checker = new Checker();
  atEnd(() => checker.close());
  const history = new History();
  await history.start();
  await history.write('a', 'b');
  await history.write('a');
  const operations = history.operationsBefore(history.effects.length);
  const effects = history.effects.filter((effect) => !isLeftOut(effect));
  let losses = 0;
  for (const state of crashStates(new Tree(), effects, 20, new FastRandom(1))) {
    const isGood = await examine(checker, state, operations).then(
      ({ lost, phantom, violations = [] }) =>
        lost === 0 && phantom === 0 && violations.length === 0,
      () => false,
    );
    if (!isGood) losses += 1;
  }
  return losses;
}
