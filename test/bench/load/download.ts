import { once } from 'node:events';
import net from 'node:net';
import type { DownloadJob, DownloadResult } from './load-job.ts';
import { watchOwnCpu } from './own-cpu.ts';

/**
 * Takes in an answer as it comes, on a plain socket, headers and chunk lengths included, until its
 * time is up or the server ends the connection. Rejects when the answer is not a 200 with the marker in it.
 */
export async function download(job: DownloadJob): Promise<DownloadResult> {
  const socket = net.connect({ host: '127.0.0.1', port: job.port });
  await once(socket, 'connect');
  const cpu = watchOwnCpu();
  const startMs = performance.now();
  const timer = setTimeout(() => socket.destroy(), job.seconds * 1000);
  const closed = once(socket, 'close');
  let bytes = 0;
  let beginning = '';
  let markerMs = Number.NaN;
  socket.on('data', (chunk) => {
    bytes += chunk.length;
    if (!Number.isNaN(markerMs)) return;
    beginning += chunk.toString('latin1');
    if (beginning.includes(job.marker)) markerMs = performance.now() - startMs;
  });
  socket.write(
    `GET ${job.path} HTTP/1.1\r\nHost: 127.0.0.1:${job.port}\r\nAccept: ${job.accept}\r\nConnection: close\r\n\r\n`,
  );
  await closed;
  clearTimeout(timer);
  if (!beginning.startsWith('HTTP/1.1 200 ') || Number.isNaN(markerMs)) {
    throw new Error(`${job.path} was answered with ${beginning.slice(0, 1000)}`);
  }
  return { bytes, seconds: (performance.now() - startMs) / 1000, markerMs, clientCpu: cpu() };
}
