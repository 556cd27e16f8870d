import test from 'ava';
import { junitOf } from './junit.ts';

const tap = `TAP version 13
ok 1 - storage › journal › a price < 1 & "quoted" # 5
#   as told
#   by t.log
not ok 2 - app › what fails
  ---
    name: AssertionError
    details:
      'Difference': |-
        - <a>
        + \u0000\u001b[31m
  ...
ok 3 - app › what is left out # SKIP
not ok 4 - app › what is to come # TODO
not ok 5 - Error: uncaught
  ---
    message: uncaught
  ...

1..5
# tests 4
# fail 2
`;

test('every test is a case, with the file it stands in, how it ended and what was said about it', (t) => {
  const lines = junitOf(tap).split('\n');

  t.deepEqual(lines, [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites tests="5" failures="2" skipped="2">',
    '<testsuite name="repricer" tests="5" failures="2" skipped="2">',
    '<testcase classname="storage › journal" name="a price &lt; 1 &amp; &quot;quoted&quot; # 5"><system-out>as told',
    'by t.log</system-out></testcase>',
    '<testcase classname="app" name="what fails"><failure message="failed">---',
    '  name: AssertionError',
    '  details:',
    "    'Difference': |-",
    '      - &lt;a&gt;',
    '      + \uFFFD\uFFFD[31m',
    '...</failure></testcase>',
    '<testcase classname="app" name="what is left out"><skipped/></testcase>',
    '<testcase classname="app" name="what is to come"><skipped/></testcase>',
    '<testcase classname="ava" name="Error: uncaught"><failure message="failed">---',
    '  message: uncaught',
    '...</failure></testcase>',
    '</testsuite>',
    '</testsuites>',
    '',
  ]);
});
