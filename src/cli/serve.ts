import type { Config } from '../config/options.ts';
import { RepricerError } from '../errors.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import type { Log } from '../ops/log.ts';
import { type Service, type ServiceParts, startService } from '../service.ts';

/** How long the answers to refused writes may take to reach their clients after the storage has failed. */
const failureGraceMs = 1000;

/**
 * Serves until `stopAsked` gives the name of a signal or the storage fails, then stops. Gives 0 after
 * a clean stop, 74 after a failed storage, 1 when the stop failed or took longer than its deadline.
 */
export async function serve(
  config: Config,
  parts: Omit<ServiceParts, 'onFailure'>,
  stopAsked: Promise<string>,
): Promise<ExitCode> {
  let onFailure: (error: RepricerError) => void = () => {};
  const failed = new Promise<RepricerError>((resolve) => {
    onFailure = resolve;
  });
  const { log } = parts;
  const service = await startService(config, { ...parts, onFailure });
  const { port, backplanePort } = service;
  log.info('ready', { host: config.host, port, backplanePort, dataDir: config.dataDir });

  const reason = await Promise.race([stopAsked, failed]);
  if (reason instanceof RepricerError) return stopFailed(service, log, reason);
  log.info('stopping', { signal: reason, deadlineMs: config.shutdownTimeoutMs });
  return stopCleanly(service, log, config.shutdownTimeoutMs, failed);
}

async function stopCleanly(
  service: Service,
  log: Log,
  deadlineMs: number,
  failed: Promise<RepricerError>,
): Promise<ExitCode> {
  try {
    const end = await Promise.race([within(deadlineMs, service.stop()), failed]);
    if (end instanceof RepricerError) return await stopFailed(service, log, end);
    if (end === 'stopped') log.info('stopped');
    else
      log.error('the stop took too long and is cut short; the next start recovers', { deadlineMs });
    return end === 'stopped' ? exitCode.ok : exitCode.failed;
  } catch (error) {
    log.error('the stop failed; the next start recovers', { error });
    return exitCode.failed;
  }
}

async function stopFailed(service: Service, log: Log, error: RepricerError): Promise<ExitCode> {
  log.error('the storage has failed; a restart finds out what is on disk', { error });
  try {
    await within(failureGraceMs, service.stop());
  } catch (stopError) {
    log.error('the stop failed too', { error: stopError });
  }
  return exitCode.io;
}

async function within(deadlineMs: number, work: Promise<void>): Promise<'stopped' | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, deadlineMs, 'late');
  });
  try {
    return await Promise.race([work.then(() => 'stopped' as const), late]);
  } finally {
    clearTimeout(timer);
  }
}
