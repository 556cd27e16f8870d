import test from 'ava';
import fc from 'fast-check';
import { annotationProblem, currencyProblem } from '../../src/model/annotations.ts';

const currencyRule = 'must be an ISO 4217 currency code such as "EUR"';
const lengthRule = 'must be at most 200 characters long';
const surrogateRule = 'must be well-formed Unicode, without lone surrogates';
const characterRule = 'must not contain control or line separator characters';

test('the ISO 4217 code of a currency is accepted', (t) => {
  for (const code of ['EUR', 'USD', 'GBP', 'JPY', 'CHF', 'KWD']) {
    t.is(currencyProblem(code), undefined, code);
  }
});

test('the ISO 4217 codes of funds, units of account and metals are accepted too', (t) => {
  for (const code of ['CLF', 'COU', 'UYI', 'CHE', 'VED', 'XAU', 'XAG', 'XDR']) {
    t.is(currencyProblem(code), undefined, code);
  }
});

test('what is not the code of a currency is refused, and the rule named', (t) => {
  const others = ['', 'eur', 'Eur', ' EUR', 'EUR ', 'EURO', 'EU', '€', '978', 'QQQ', 'ＥＵＲ'];

  for (const value of [...others, 'toString', '__proto__', 978, null, undefined, ['EUR'], {}]) {
    t.is(currencyProblem(value), currencyRule, String(value));
  }
});

test('a text of 1 to 200 characters without controls is an annotation', (t) => {
  const harmless = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 200 })
    .filter((text) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text));

  fc.assert(fc.property(harmless, (text) => annotationProblem(text) === undefined));
  t.is(annotationProblem('😀'.repeat(200)), undefined);
});

const refused: Readonly<Record<string, readonly [value: unknown, rule: string]>> = {
  'the empty text': ['', 'must not be empty; leave the field out instead'],
  '201 letters': ['a'.repeat(201), lengthRule],
  '201 emoji': ['😀'.repeat(201), lengthRule],
  'ten million letters': ['a'.repeat(10_000_000), lengthRule],
  'a lone surrogate': ['a\uD83Db', surrogateRule],
  'a newline': ['a\nb', characterRule],
  'a null character': ['a\0b', characterRule],
  'a C1 control': ['a\u0085b', characterRule],
  'a line separator': ['a\u2028b', characterRule],
  'a paragraph separator': ['a\u2029b', characterRule],
  'a number': [1, 'must be a string'],
  null: [null, 'must be a string'],
  'an array': [['a'], 'must be a string'],
};

for (const [description, [value, rule]] of Object.entries(refused)) {
  test(`${description} is refused: an annotation ${rule}`, (t) => {
    t.is(annotationProblem(value), rule);
  });
}
