import { open, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { BenchProcess } from './bench-process.ts';

/** A server under load. */
export interface BenchServer {
  readonly process: BenchProcess;
  readonly port: number;
}

const startMsMax = 15_000;
const startPollMs = 25;

/** The service as `npm start` runs it, with its defaults, on a data directory; its log goes to a file. */
export async function startRepricer(dataDir: string, logFile: string): Promise<BenchServer> {
  const log = await open(logFile, 'a');
  try {
    const args = ['serve', '--data-dir', dataDir, '--port', '0', '--backplane-port', '0'];
    const process = BenchProcess.start(
      'the service',
      new URL('../../src/main.js', import.meta.url),
      args,
      {
        env: environmentWithoutOptions(),
        stdio: ['ignore', log.fd, 'inherit', 'ipc'],
      },
    );
    return { process, port: await process.whileRunning(portInLog(logFile)) };
  } finally {
    await log.close();
  }
}

export async function startBareKoa(): Promise<BenchServer> {
  const process = BenchProcess.start('bare Koa', new URL('./bare-koa.js', import.meta.url));
  const { port } = (await process.message()) as { readonly port: number };
  return { process, port };
}

/** Variables of the shell that runs the benchmark would change the service's defaults. */
function environmentWithoutOptions(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env);
  return Object.fromEntries(entries.filter(([name]) => !name.startsWith('REPRICER_')));
}

async function portInLog(logFile: string): Promise<number> {
  const deadline = performance.now() + startMsMax;
  while (performance.now() < deadline) {
    const ready = /^.*"message":"ready".*$/m.exec(await readFile(logFile, 'utf8'));
    if (ready !== null) return (JSON.parse(ready[0]) as { readonly port: number }).port;
    await delay(startPollMs);
  }
  throw new Error(`the service was not ready after ${startMsMax} ms`);
}
