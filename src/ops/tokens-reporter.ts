import type { RepricerError } from '../errors.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** Tells of tokens that were read again. */
export interface TokensReporter {
  tokensReloaded(count: number): void;
  reloadFailed(error: RepricerError): void;
}

/** Puts what becomes of a tokens file that is read again into log and metrics. */
export function createTokensReporter(
  log: Log,
  metrics: Pick<Metrics, 'countTokensReloadFailure'>,
): TokensReporter {
  return {
    tokensReloaded: (tokens) => log.info('the tokens were read again', { tokens }),
    reloadFailed: (error) => {
      metrics.countTokensReloadFailure();
      log.error('the tokens could not be read again; those of before stay in force', { error });
    },
  };
}
