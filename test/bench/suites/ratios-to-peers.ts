import { type Ratio, ratioOf, type Series } from '../report/measure.ts';
import type { Target } from '../report/targets.ts';

/** The first subject by each of the others, with the targets that there are. */
export function ratiosToPeers(
  series: readonly Series[],
  targets: Readonly<Record<string, Target>>,
): readonly Ratio[] {
  const [service, ...peers] = series;
  if (service === undefined) return [];
  return peers.map((peer) => ratioOf(service, peer, targets[peer.subject]));
}
