import type { StorageEvents } from '../storage/storage-events.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** A sync that took longer says that the volume is ill or throttled. */
const slowSyncSeconds = 1;

/**
 * Turns what the storage reports into log lines and measurements. The measured room is left to
 * whoever answers for the room in `Readings`.
 */
export function createStorageReporter(
  log: Log,
  metrics: Metrics,
): Omit<StorageEvents, 'roomMeasured'> {
  return {
    batchHangs(records, seconds) {
      metrics.countSyncHang();
      log.warn('sync hangs', { records, seconds });
    },
    batchSynced(records, syncSeconds) {
      metrics.observeBatch(records, syncSeconds);
      if (syncSeconds > slowSyncSeconds) log.warn('sync was slow', { records, syncSeconds });
    },
    segmentSealed(file, rows, lastSeq) {
      metrics.setSealedSeq(lastSeq);
      log.info('segment sealed', { file, rows, lastSeq });
    },
    tornTailCut(file, offset, bytes, savedAs) {
      metrics.countTornTail();
      log.warn('torn tail of an interrupted batch was cut', {
        case: 'torn-tail',
        file,
        offset,
        bytes,
        savedAs,
      });
    },
    aggregated(seq) {
      metrics.setAggregatedSeq(seq);
      log.debug('product files caught up', { seq });
    },
    checkpointed(seq) {
      metrics.setCheckpointSeq(seq);
      log.debug('checkpoint written', { seq });
    },
    backgroundWorkFailed(work, error, retryMs) {
      metrics.countBackgroundFailure(work);
      if (retryMs === undefined) log.error('background work failed', { work, error });
      else log.error('background work failed and is tried again', { work, retryMs, error });
    },
    derivedFileRebuilt(file, label, reason) {
      metrics.countRebuiltFile(label);
      log.warn('derived file was made anew', { case: label, file, reason });
    },
    keysLeftOut(count, countMax) {
      log.warn('idempotency keys were forgotten at the start', { keys: count, keysMax: countMax });
    },
    roomChanged(hasRoom, freeBytes) {
      if (hasRoom) log.info('the volume has room again', { freeBytes });
      else log.warn('the volume has too little room for writes', { freeBytes });
    },
  };
}
