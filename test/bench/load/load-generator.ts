import { download } from './download.ts';
import type { EnoughOfIt, LoadJob, LoadReply } from './load-job.ts';
import { LoadRun } from './load-run.ts';
import { PacedRun } from './paced-run.ts';
import { upload } from './upload.ts';

/*
 * The load generator, a process of its own: takes one job at a time from its parent and replies with
 * what it saw. It stays for the whole run, so that every stretch of load finds it equally warm.
 */

/** No answer may take longer; a server that hangs must not hang the benchmark. */
const answerMsMax = 20_000;

let enough = new AbortController();

process.on('message', (job: LoadJob | EnoughOfIt) => {
  if (job.kind === 'enough') {
    enough.abort();
    return;
  }
  enough = new AbortController();
  work(job).then(
    (result) => reply({ result }),
    (error: unknown) => reply({ problem: String(error) }),
  );
});

// A runner that is gone asks for no more.
process.on('disconnect', () => process.exit());

async function work(job: LoadJob) {
  switch (job.kind) {
    case 'requests':
      return new LoadRun(job).run(answerMsMax);
    case 'paced':
      return new PacedRun(job).run(answerMsMax, enough.signal);
    case 'upload':
      return upload(job);
    case 'download':
      return download(job);
  }
}

function reply(message: LoadReply): void {
  process.send?.(message);
}
