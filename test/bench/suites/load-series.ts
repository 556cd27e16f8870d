import type { LoadResult, UploadResult } from '../load/load-job.ts';
import type { Loaded } from '../processes/load-driver.ts';
import type { Series } from '../report/measure.ts';
import { spreadOf } from '../report/statistics.ts';

/** Answers a second by round, and the medians of all else that requests tell. */
export function requestSeries(subject: string, results: readonly Loaded<LoadResult>[]): Series {
  const median = (pick: (result: Loaded<LoadResult>) => number) =>
    spreadOf(results.map(pick)).median;
  const series = uploadSeries(subject, results);
  return {
    ...series,
    load: {
      p50Ms: median(({ p50Ms }) => p50Ms),
      p99Ms: median(({ p99Ms }) => p99Ms),
      p999Ms: median(({ p999Ms }) => p999Ms),
      ...costOf(results),
    },
  };
}

/** The same of uploads, which have no latencies. */
export function uploadSeries(subject: string, results: readonly Loaded<UploadResult>[]): Series {
  const values = results.map(({ answers, seconds }) => answers / seconds);
  return { subject, values, load: costOf(results) };
}

function costOf(results: readonly Loaded<UploadResult>[]) {
  const micros = results.map(({ serverCpuSeconds, answers }) => (serverCpuSeconds * 1e6) / answers);
  return {
    serverCpuMicros: spreadOf(micros).median,
    clientCpu: spreadOf(results.map(({ clientCpu }) => clientCpu)).median,
  };
}
