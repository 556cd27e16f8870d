import Bottleneck from 'bottleneck';

/** What a background job does. */
export interface BackgroundWork {
  run(): Promise<void>;
  /** Is called after each run that succeeded, and may wake the job again. */
  onDone(): void;
  /** Is called when a run has failed and will be tried again after `retryMs`. */
  onFailure(error: unknown, retryMs: number): void;
}

const retryMsMin = 100;
const retryMsMax = 5000;

/**
 * Work in the background that is done when it is woken: one run at a time, and at most so often. What
 * wakes it during a run is for `onDone` to see to. A run that fails is tried again after a pause that
 * doubles up to five seconds.
 */
export class BackgroundJob {
  readonly #work: BackgroundWork;
  readonly #limiter: Bottleneck;
  #timer: NodeJS.Timeout | undefined;
  #isScheduled = false;
  #isStopped = false;

  constructor(work: BackgroundWork, intervalMs: number) {
    this.#work = work;
    this.#limiter = createLimiter(intervalMs);
    this.#limiter.on('failed', (error: unknown, info) => this.#retryAfter(error, info.retryCount));
  }

  wake(): void {
    if (this.#isScheduled || this.#isStopped) return;
    clearTimeout(this.#timer);
    this.#isScheduled = true;
    this.#limiter.schedule(() => this.#run()).catch((error: unknown) => this.#onDropped(error));
  }

  /** Wakes it later, if nothing does before that. */
  wakeIn(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => this.wake(), ms).unref();
  }

  /** Resolves once the last run has ended; none begins after that. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#limiter.stop({ dropWaitingJobs: true, dropErrorMessage: 'it was stopped' });
  }

  async #run(): Promise<void> {
    await this.#work.run();
    this.#isScheduled = false;
    this.#work.onDone();
  }

  /** The limiter gives a run up only when it is stopped; whoever stops it sees to what is left. */
  #onDropped(error: unknown): void {
    if (!this.#isStopped) throw error;
  }

  #retryAfter(error: unknown, retries: number): number | undefined {
    if (this.#isStopped) return undefined;
    const retryMs = Math.min(retryMsMax, retryMsMin * 2 ** retries);
    this.#work.onFailure(error, retryMs);
    return retryMs;
  }
}

/** Every option is given, so that no default of the library decides anything here. */
function createLimiter(minTimeMs: number): Bottleneck {
  return new Bottleneck({
    maxConcurrent: 1,
    minTime: minTimeMs,
    highWater: null,
    strategy: Bottleneck.strategy.LEAK,
    penalty: null,
    reservoir: null,
    reservoirRefreshInterval: null,
    reservoirRefreshAmount: null,
    reservoirIncreaseInterval: null,
    reservoirIncreaseAmount: null,
    reservoirIncreaseMaximum: null,
    rejectOnDrop: true,
    trackDoneStatus: false,
    datastore: 'local',
  });
}
