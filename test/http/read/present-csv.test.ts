import test from 'ava';
import { presentCsvRow, textCell } from '../../../src/http/read/present-csv.ts';
import { record } from '../http-fixture.ts';

test('a row has the exact prices and the moment to the microsecond, and an empty cell for no price', (t) => {
  const first = { version: 1, previousPrice: null };

  t.is(presentCsvRow(record()), '"foo",3.55,3.50,2026-11-21T01:11:15.355823Z,12,8001\r\n');
  t.is(presentCsvRow(record(first)), '"foo",3.55,,2026-11-21T01:11:15.355823Z,1,8001\r\n');
});

test('a cell that a spreadsheet would take for a formula begins with an apostrophe', (t) => {
  const formulas = [
    '=1+1',
    '+1',
    '-1',
    '@SUM(A1)',
    '\t=1',
    '\r1',
    '\n1',
    '\tx',
    '  =1',
    '\u00a0=1',
  ];

  for (const text of [...formulas, '\ufeff=1', ' \u3000@x', '＝1', '＋1', '－1', '＠x']) {
    t.is(textCell(text), `"'${text}"`, JSON.stringify(text));
  }
});

test('every other text is a quoted cell as it is, its quotes doubled', (t) => {
  for (const text of ['foo', "'x", 'a=1', '1-2', ' x', '\u00a0x', 'a,b;c', 'ü😀', '007', 'NULL']) {
    t.is(textCell(text), `"${text}"`, text);
  }
  t.is(textCell('"'), '""""');
  t.is(textCell('a"=1","b'), '"a""=1"",""b"');
});
