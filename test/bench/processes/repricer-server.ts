import { open, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { BenchProcess } from './bench-process.ts';
import type { BenchServer } from './bench-server.ts';

/** The service, and how long it took from the start of its process until it was ready. */
export interface RepricerServer extends BenchServer {
  readonly startMs: number;
  readonly backplanePort: number;
}

export interface RepricerOptions {
  /** Beside the data directory and the ports; the rest has its defaults. */
  readonly flags?: readonly string[];
  /** Of Node. */
  readonly execArgv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const startMsMax = 120_000;
const startPollMs = 2;

/** The service as `npm start` runs it, on a data directory; its log goes to a file beside that. */
export async function startRepricer(
  dataDir: string,
  { flags = [], execArgv = [], env = {} }: RepricerOptions = {},
): Promise<RepricerServer> {
  const logFile = `${dataDir}.log`;
  const log = await open(logFile, 'w');
  try {
    const startedMs = performance.now();
    const ports = ['--port', '0', '--backplane-port', '0'];
    const process = BenchProcess.start(
      'the service',
      new URL('../../../src/main.js', import.meta.url),
      ['serve', '--data-dir', dataDir, ...ports, ...flags],
      {
        env: { ...environmentWithoutOptions(), ...env },
        execArgv: ['--enable-source-maps', ...execArgv],
        stdio: ['ignore', log.fd, 'inherit', 'ipc'],
      },
    );
    const { port, backplanePort } = await process.whileRunning(portsInLog(logFile));
    return {
      ...{ name: 'Repricer', process, port, backplanePort, cpuRoots: [process.pid] },
      startMs: performance.now() - startedMs,
      stop: () => stopWell(process),
      kill: () => process.kill(),
    };
  } finally {
    await log.close();
  }
}

async function stopWell(process: BenchProcess): Promise<void> {
  const code = await process.stop();
  if (code !== 0) throw new Error(`the service ended with ${code}`);
}

/** Variables of the shell that runs the benchmark would change the service's defaults. */
function environmentWithoutOptions(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env);
  return Object.fromEntries(entries.filter(([name]) => !name.startsWith('REPRICER_')));
}

interface Ports {
  readonly port: number;
  readonly backplanePort: number;
}

async function portsInLog(logFile: string): Promise<Ports> {
  const deadline = performance.now() + startMsMax;
  while (performance.now() < deadline) {
    const ready = /^.*"message":"ready".*$/m.exec(await readFile(logFile, 'utf8'));
    if (ready !== null) return JSON.parse(ready[0]) as Ports;
    await delay(startPollMs);
  }
  throw new Error(`the service was not ready after ${startMsMax} ms`);
}
