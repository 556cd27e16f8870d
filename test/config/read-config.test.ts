import test from 'ava';
import { configHelp } from '../../src/config/config-help.ts';
import type { Config } from '../../src/config/options.ts';
import { readConfig, readDataDir } from '../../src/config/read-config.ts';
import { RepricerError } from '../../src/errors.ts';
import { packageVersion } from '../../src/package-version.ts';

const defaults: Config = {
  dataDir: './data',
  host: '127.0.0.1',
  tokensFile: '',
  allowAnonymous: false,
  corsOrigin: [],
  clientRate: 0,
  clientBurst: 100,
  port: 8080,
  backplanePort: 9102,
  admin: false,
  queueMax: 1000,
  readsMax: 50,
  batchesMax: 4,
  batchLinesMax: 1000,
  bodyBytesMax: 16_384,
  pageSizeMax: 1000,
  compress: false,
  segmentBytesMax: 67_108_864,
  segmentAgeMaxMs: 3_600_000,
  flushIntervalMs: 1000,
  checkpointIntervalMs: 10_000,
  checkpointBytesMax: 67_108_864,
  backlogRecordsMax: 200_000,
  backlogWaitMs: 5000,
  lastPricesMax: 1_000_000,
  idempotencyWindowMs: 86_400_000,
  idempotencyKeysMax: 100_000,
  freeBytesMin: 1_073_741_824,
  streamSubscribersMax: 1000,
  streamHeartbeatMs: 15_000,
  streamStallMs: 60_000,
  connectionsMax: 2000,
  requestTimeoutMs: 15_000,
  shutdownTimeoutMs: 30_000,
  logLevel: 'info',
  profiling: false,
  serviceName: 'repricer',
  serviceVersion: packageVersion,
  environment: 'development',
};

/** The lines of the refusal that `read` throws. */
function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof RepricerError && error.code === 'INVALID_CONFIG') {
      return error.message.split('\n');
    }
    throw error;
  }
  return [];
}

test('without flags and variables every option has its default, and the config is frozen', (t) => {
  const config = readConfig({ PATH: '/bin' }, []);

  t.deepEqual(config, defaults);
  t.true(Object.isFrozen(config));
});

test('a variable sets its option', (t) => {
  const config = readConfig({ REPRICER_QUEUE_MAX: '7', REPRICER_LOG_LEVEL: 'debug' }, []);

  t.deepEqual(config, { ...defaults, queueMax: 7, logLevel: 'debug' });
});

test('a flag sets its option in either spelling and wins over the variable', (t) => {
  const env = { REPRICER_PORT: '1', REPRICER_DATA_DIR: '/a' };

  const config = readConfig(env, ['--port=2', '--data-dir', '/b']);

  t.deepEqual(config, { ...defaults, port: 2, dataDir: '/b' });
});

test('a variable that a flag overrides need not be valid', (t) => {
  const config = readConfig({ REPRICER_PORT: 'http' }, ['--port', '2']);

  t.is(config.port, 2);
});

test('of a flag that is given twice the last one counts', (t) => {
  t.is(readConfig({}, ['--port', '1', '--port', '2']).port, 2);
});

test('all problems are reported at once, each with its source, its value and the rule', (t) => {
  const env = {
    REPRICER_QUEUE_MAX: '0',
    REPRICER_QEUE_MAX: '7',
    REPRICER_DATA_DIR: ' ',
    REPRICER_BACKLOG_WAIT_MS: '',
  };
  const argv = ['stray', '--port', '65536', '--prot=1', '-p', '--log-level', 'loud', '--host'];

  const problems = problemsOf(() => readConfig(env, argv));

  t.deepEqual(problems, [
    '"stray" belongs to no flag',
    '--prot is not a flag of this command',
    '-p is not a flag of this command',
    '--host has no value',
    'REPRICER_QEUE_MAX is not a variable of this program',
    'REPRICER_DATA_DIR " " must be not empty',
    '--port "65536" must be a whole number from 0 to 65535',
    'REPRICER_QUEUE_MAX "0" must be a whole number from 1 to 100000',
    'REPRICER_BACKLOG_WAIT_MS "" must be a whole number from 0 to 600000',
    '--log-level "loud" must be one of error, warn, info, debug',
  ]);
});

test('a flag does not take the next flag for its value', (t) => {
  const problems = problemsOf(() => readConfig({}, ['--data-dir', '--port']));

  t.deepEqual(problems, ['--data-dir has no value']);
});

test('words after -- are no values either', (t) => {
  t.deepEqual(
    problemsOf(() => readConfig({}, ['--', '--port'])),
    ['"--port" belongs to no flag'],
  );
});

test('the ends of a range are in it, and what lies beyond is not', (t) => {
  for (const [flag, min, max] of [
    ['--port', 0, 65_535],
    ['--queue-max', 1, 100_000],
    ['--connections-max', 1, 100_000],
    ['--flush-interval-ms', 1, 3_600_000],
    ['--segment-bytes-max', 4096, 1_073_741_824],
    ['--last-prices-max', 1, 16_000_000],
    ['--stream-heartbeat-ms', 1, 60_000],
    ['--stream-stall-ms', 1, 60_000],
    ['--free-bytes-min', 0, 1_099_511_627_776],
  ] as const) {
    t.notThrows(() => readConfig({}, [`${flag}=${min}`]), `${flag}=${min}`);
    t.notThrows(() => readConfig({}, [`${flag}=${max}`]), `${flag}=${max}`);
    const rule = `must be a whole number from ${min} to ${max}`;
    for (const beyond of [min - 1, max + 1]) {
      const problems = problemsOf(() => readConfig({}, [`${flag}=${beyond}`]));
      t.deepEqual(problems, [`${flag} "${beyond}" ${rule}`]);
    }
  }
});

test('a page may have more than the records that clients count on, and never fewer', (t) => {
  t.is(readConfig({}, ['--page-size-max', '10000']).pageSizeMax, 10_000);
  for (const bad of ['999', '10001']) {
    t.is(problemsOf(() => readConfig({}, ['--page-size-max', bad])).length, 1);
  }
});

test('a number is written in plain digits', (t) => {
  for (const text of ['1e3', '0x10', '5.0', '+5', '05', ' 5', '5 ', '٥', 'NaN', '']) {
    t.is(problemsOf(() => readConfig({}, [`--queue-max=${text}`])).length, 1, text);
  }
});

test('the two ports differ, unless both are free ones', (t) => {
  t.deepEqual(
    problemsOf(() => readConfig({}, ['--port=9102'])),
    ['--backplane-port 9102 must differ from --port'],
  );
  t.notThrows(() => readConfig({}, ['--port=0', '--backplane-port=0']));
});

test('an address that others can reach needs tokens, or the word that it needs none', (t) => {
  const why = (host: string) =>
    `--host ${host} is an address that others can reach: give --tokens-file, or ` +
    '--allow-anonymous to let everyone read and reprice';

  for (const host of [
    '0.0.0.0',
    '::',
    '10.0.0.7',
    '::ffff:10.0.0.7',
    'repricer',
    '127.0.0.1.example',
  ]) {
    t.deepEqual(
      problemsOf(() => readConfig({}, ['--host', host])),
      [why(host)],
    );
    t.notThrows(() => readConfig({}, ['--host', host, '--allow-anonymous']));
    t.notThrows(() => readConfig({}, ['--host', host, '--tokens-file', 'tokens.json']));
  }
  for (const host of ['127.0.0.1', '127.255.255.254', '::1', '::ffff:127.0.0.1', 'localhost']) {
    t.notThrows(() => readConfig({}, ['--host', host]), host);
  }
});

test('nobody is let in without a token where tokens are configured', (t) => {
  t.deepEqual(
    problemsOf(() => readConfig({}, ['--allow-anonymous', '--tokens-file', 'tokens.json'])),
    ['--allow-anonymous and --tokens-file exclude each other'],
  );
});

test('pages are named by their origins as browsers send them, or all of them where tokens keep the door', (t) => {
  const read = (...argv: readonly string[]) => readConfig({}, argv).corsOrigin;
  const asked = 'https://a.example,http://localhost:3000';

  t.deepEqual(read('--cors-origin', asked), ['https://a.example', 'http://localhost:3000']);
  t.deepEqual(read('--cors-origin', '*', '--tokens-file', 'tokens.json'), ['*']);
  t.deepEqual(read('--cors-origin', '*', '--allow-anonymous'), ['*']);
  t.deepEqual(
    problemsOf(() => read('--cors-origin', '*')),
    [
      '--cors-origin * would let every page that is opened on this machine reprice: name the ' +
        'origins, or give --tokens-file',
    ],
  );
  for (const bad of [
    '',
    'a.example',
    'https://a.example/',
    'https://A.example',
    'file://',
    '*,*',
  ]) {
    t.is(problemsOf(() => read('--cors-origin', bad)).length, 1, bad);
  }
  const many = Array.from({ length: 33 }, (_, index) => `https://a${index}.example`);
  t.is(problemsOf(() => read('--cors-origin', many.join())).length, 1);
  t.is(read('--cors-origin', many.slice(1).join()).length, 32);
});

test('a switch is on with its flag alone, takes no word that follows, and says true or false otherwise', (t) => {
  t.true(readConfig({}, ['--allow-anonymous', '--port', '1']).allowAnonymous);
  t.true(readConfig({ REPRICER_ALLOW_ANONYMOUS: 'true' }, []).allowAnonymous);
  t.false(
    readConfig({ REPRICER_ALLOW_ANONYMOUS: 'true' }, ['--allow-anonymous=false']).allowAnonymous,
  );
  t.deepEqual(
    problemsOf(() => readConfig({}, ['--allow-anonymous', 'true'])),
    ['"true" belongs to no flag'],
  );
  for (const text of ['', 'yes', 'TRUE', 'constructor']) {
    t.deepEqual(
      problemsOf(() => readConfig({ REPRICER_ALLOW_ANONYMOUS: text }, [])),
      [`REPRICER_ALLOW_ANONYMOUS "${text}" must be true or false`],
    );
  }
});

test('a backlog that could never take a full queue is refused', (t) => {
  t.deepEqual(
    problemsOf(() => readConfig({}, ['--backlog-records-max=999'])),
    [
      '--backlog-records-max 999 must be at least --queue-max 1000, or a full batch would never find room',
    ],
  );
  t.notThrows(() => readConfig({}, ['--backlog-records-max=1000']));
});

test('a command that needs the data directory alone takes no other flag, but leaves variables of the service alone', (t) => {
  t.is(readDataDir({ REPRICER_PORT: 'any' }, []), './data');
  t.is(readDataDir({ REPRICER_DATA_DIR: '/a' }, []), '/a');
  t.is(readDataDir({ REPRICER_DATA_DIR: '/a' }, ['--data-dir=/b']), '/b');
  t.deepEqual(
    problemsOf(() => readDataDir({ REPRICER_PROT: '1' }, ['--port=1', '--data-dir='])),
    [
      '--port is not a flag of this command',
      'REPRICER_PROT is not a variable of this program',
      '--data-dir "" must be not empty',
    ],
  );
});

test('the help names every flag and variable with its default, within 100 columns', (t) => {
  const help = configHelp();

  for (const [name, value] of Object.entries(defaults)) {
    const words = name.split(/(?=[A-Z])/);
    const flag = `--${words.join('-').toLowerCase()}`;
    const variable = `REPRICER_${words.join('_').toUpperCase()}`;
    const [, rest = ''] = help.split(`  ${flag}, ${variable}\n`);
    t.true(
      rest
        .split('\n')[1]
        ?.trim()
        .startsWith(`Default ${value === '' ? 'none' : value}`),
      name,
    );
  }
  t.true(help.includes('Default 67108864 bytes (64 MiB); a whole number from 4096 to 1073741824.'));
  t.true(help.split('\n').every((line) => line.length <= 100));
});
