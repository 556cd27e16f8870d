import type { StatisticsEvents } from '../access/kept-statistics.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** Puts what becomes of the file of the client statistics into log and metrics. */
export function createStatisticsReporter(
  log: Log,
  metrics: Pick<Metrics, 'countBackgroundFailure'>,
): StatisticsEvents {
  return {
    statisticsLost: (error, savedAs) =>
      log.warn('the statistics of clients could not be read and begin anew', { savedAs, error }),
    saveFailed: (error) => {
      metrics.countBackgroundFailure('client statistics');
      log.warn('the statistics of clients could not be saved, which is tried again', { error });
    },
  };
}
