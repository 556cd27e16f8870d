import test from 'ava';
import fc from 'fast-check';
import { isPrice, priceProblem, toPrice } from '../../src/model/price.ts';

const digitsRule = 'must have at most 12 integer digits and 6 fraction digits';
const positiveRule = 'must be greater than 0';
const formRule =
  'must be a plain decimal number such as 3.50, without exponent, sign or leading zeros';

test('a price with a fraction part stays as it was written', (t) => {
  fc.assert(
    fc.property(writtenPrices(), (written): boolean => {
      return toPrice(written) === written && isPrice(written);
    }),
  );
  t.is(String(toPrice('3.50')), '3.50');
});

test('a whole price gets a fraction part, and nothing else changes', (t) => {
  fc.assert(
    fc.property(
      integerParts().filter((integer) => integer !== '0'),
      (integer): boolean => toPrice(integer) === `${integer}.0`,
    ),
  );
  t.is(String(toPrice('3')), '3.0');
});

test('what is a price stays one when it is read again', (t) => {
  fc.assert(
    fc.property(priceLikeTexts(), (text) => {
      const price = toPrice(text);
      return price === undefined || (isPrice(price) && toPrice(price) === price);
    }),
  );
  t.pass();
});

test('a text is a price exactly when no rule is named for it', (t) => {
  fc.assert(
    fc.property(
      priceLikeTexts(),
      (text): boolean => (toPrice(text) === undefined) === (priceProblem(text) !== undefined),
    ),
  );
  t.pass();
});

test('exactly the positive decimals of DECIMAL(18,6) in plain form are prices', (t) => {
  // Number reads many more forms than a price has; the plain form is asked for digit by digit.
  const isPlain = (text: string): boolean => {
    const [integer = '', fraction, ...more] = text.split('.');
    const isDigits = (part: string) => part !== '' && [...part].every((c) => c >= '0' && c <= '9');
    const isInteger = isDigits(integer) && (integer === '0' || !integer.startsWith('0'));
    return more.length === 0 && isInteger && (fraction === undefined || isDigits(fraction));
  };
  const isInLimits = (text: string): boolean => {
    const [integer = '', fraction = ''] = text.split('.');
    return integer.length <= 12 && fraction.length <= 6 && Number(text) > 0;
  };

  fc.assert(
    fc.property(
      priceLikeTexts(),
      (text): boolean => (toPrice(text) !== undefined) === (isPlain(text) && isInLimits(text)),
    ),
    { numRuns: 2000 },
  );
  t.pass();
});

test('the smallest and the largest price of DECIMAL(18,6) are prices', (t) => {
  t.is(String(toPrice('0.000001')), '0.000001');
  t.is(String(toPrice('999999999999.999999')), '999999999999.999999');
});

const refused: readonly (readonly [text: string, rule: string])[] = [
  ['0', positiveRule],
  ['0.0', positiveRule],
  ['0.000000', positiveRule],
  ['-1', positiveRule],
  ['-0.5', positiveRule],
  ['0.0000001', digitsRule],
  ['3.1234567', digitsRule],
  ['3.0000000', digitsRule],
  ['1234567890123', digitsRule],
  ['1000000000000.5', digitsRule],
  ['1e3', formRule],
  ['1E3', formRule],
  ['NaN', formRule],
  ['Infinity', formRule],
  ['01', formRule],
  ['00.5', formRule],
  ['', formRule],
  [' 3', formRule],
  ['3 ', formRule],
  ['3\n', formRule],
  ['+3', formRule],
  ['.5', formRule],
  ['5.', formRule],
  ['.', formRule],
  ['1.2.3', formRule],
  ['1,0', formRule],
  ['1_000', formRule],
  ['0x10', formRule],
  ['３.５０', formRule],
  ['٣', formRule],
  ['3.5０', formRule],
];

for (const [text, rule] of refused) {
  test(`${JSON.stringify(text)} is refused: it ${rule}`, (t) => {
    t.is(priceProblem(text), rule);
    t.is(toPrice(text), undefined);
    t.false(isPrice(text));
  });
}

test('a whole number without a fraction part is not a price as files hold it', (t) => {
  t.false(isPrice('3'));
});

test('a text of ten million digits is refused without reading it', (t) => {
  const text = '9'.repeat(10_000_000);
  const start = performance.now();

  const problems = Array.from({ length: 1000 }, () => priceProblem(text));

  // A thousand walks over it would take many seconds.
  t.true(performance.now() - start < 1000);
  t.deepEqual(new Set(problems), new Set([digitsRule]));
});

function integerParts(): fc.Arbitrary<string> {
  return fc.bigInt({ min: 0n, max: 999_999_999_999n }).map(String);
}

function writtenPrices(): fc.Arbitrary<string> {
  return fc
    .tuple(integerParts(), digits(1, 6))
    .map((parts) => parts.join('.'))
    .filter((text) => /[1-9]/.test(text));
}

function digits(minLength: number, maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...'0123456789'), minLength, maxLength });
}

/** Prices, texts that are nearly prices, and any text. */
function priceLikeTexts(): fc.Arbitrary<string> {
  const nearly = fc.tuple(digits(0, 14), fc.constantFrom('.', '', '.', 'e', ','), digits(0, 8));
  const parts = fc.string({ unit: fc.constantFrom(...'0123.-+e ３'), maxLength: 10 });
  return fc.oneof(
    writtenPrices(),
    nearly.map((all) => all.join('')),
    parts,
    fc.string(),
  );
}
