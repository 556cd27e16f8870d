import { spawnSync } from 'node:child_process';

/** What a fault or a test may need of the machine besides Node. */
export type Need =
  | 'mounts'
  | 'compiler'
  | 'faketime'
  | 'namespaces'
  | 'strace'
  | 'kubectl'
  | 'promtool'
  | 'chromium'
  | 'linux';

/** Why this machine does not have it; undefined when it has. */
export function lackOf(need: Need): string | undefined {
  const { command, args, advice } = probes[need];
  const { status } = spawnSync(command, args, { stdio: 'ignore' });
  return status === 0 ? undefined : advice;
}

interface Probe {
  /** Succeeds where the need is met. */
  readonly command: string;
  readonly args: readonly string[];
  /** Completes "SKIPPED: ". */
  readonly advice: string;
}

export const chromiumPath = '/usr/bin/chromium';

const probes: Readonly<Record<Need, Probe>> = {
  mounts: {
    command: 'unshare',
    args: ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'],
    advice: 'mounting file systems needs root',
  },
  compiler: { command: 'gcc', args: ['--version'], advice: 'the shim needs gcc' },
  faketime: { command: 'faketime', args: ['--version'], advice: 'needs the package faketime' },
  strace: {
    command: 'strace',
    args: ['-qqq', '-o', '/dev/null', 'true'],
    advice: 'needs the package strace, and leave to trace',
  },
  namespaces: {
    command: 'unshare',
    args: ['--net', 'sh', '-c', 'ip link set lo up && nft list ruleset && tc qdisc show'],
    advice: 'network namespaces need root and the packages iproute2 and nftables',
  },
  kubectl: { command: 'kubectl', args: ['version', '--client'], advice: 'there is no kubectl' },
  promtool: {
    command: 'promtool',
    args: ['--version'],
    advice: 'there is no promtool, which Debian has in "prometheus"',
  },
  chromium: { command: chromiumPath, args: ['--version'], advice: `there is no ${chromiumPath}` },
  linux: { command: 'test', args: ['-d', '/proc/self'], advice: 'needs Linux' },
};
