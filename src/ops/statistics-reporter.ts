import type { StatisticsEvents } from '../access/kept-statistics.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** Puts what becomes of the file of the client statistics into log and metrics. */
export function createStatisticsReporter(
  log: Log,
  metrics: Pick<Metrics, 'countBackgroundFailure'>,
): StatisticsEvents {
  return {
    statisticsSetAside: (savedAs) =>
      log.warn('the statistics of clients were damaged and begin anew', { savedAs }),
    saveFailed: (error) => {
      metrics.countBackgroundFailure('client statistics');
      log.warn('the statistics of clients could not be saved, which is tried again', { error });
    },
  };
}
