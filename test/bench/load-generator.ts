import type { LoadJob, LoadReply } from './load-job.ts';
import { LoadRun } from './load-run.ts';

/*
 * The load generator, a process of its own: takes one job at a time from its parent and replies with
 * what it saw. It stays for the whole run, so that every stretch of load finds it equally warm.
 */

/** No answer may take longer; a server that hangs must not hang the benchmark. */
const answerMsMax = 20_000;

process.on('message', (job: LoadJob) => {
  new LoadRun(job).run(answerMsMax).then(
    (result) => reply({ result }),
    (error: unknown) => reply({ problem: String(error) }),
  );
});

// A runner that is gone asks for no more.
process.on('disconnect', () => process.exit());

function reply(message: LoadReply): void {
  process.send?.(message);
}
