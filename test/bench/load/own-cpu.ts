/** Starts a watch over this process's own use of a CPU: the function gives the part of one since then. */
export function watchOwnCpu(): () => number {
  const startMs = performance.now();
  const start = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000 / (performance.now() - startMs);
  };
}
