/*
 * Loaded into the service before its own code, with --expose-gc: when its parent asks, it collects all
 * garbage and tells what memory is left in use, so that garbage is not taken for growth.
 */

process.on('message', () => {
  globalThis.gc?.();
  process.send?.(process.memoryUsage());
});
// A channel that is listened to would keep the process alive.
process.channel?.unref();
