import { spawnSync } from 'node:child_process';
import { delimiter } from 'node:path';
import type { Owner } from '../support/owner.ts';

/** What can be done to the service's end of the link. */
const troubles = {
  'a tenth of the packets lost': [
    'nft',
    'add rule inet trouble in numgen random mod 100 < 10 drop',
  ],
  'connections reset': [
    'nft',
    'add rule inet trouble in meta l4proto tcp numgen random mod 100 < 5 reject with tcp reset',
  ],
  'a slow link': ['tc', 'qdisc add dev INSIDE root tbf rate 256kbit burst 4kb latency 400ms'],
  'the link down': ['ip', 'link set INSIDE down'],
  'one direction dead': ['nft', 'add rule inet trouble out drop'],
} as const;

export type Trouble = keyof typeof troubles;

export const allTroubles = Object.keys(troubles) as readonly Trouble[];

/**
 * A network namespace with one link to the one of this process, for a service to run in. It takes from
 * the machine its name and four addresses of 10.213.0.0/16, and its owner gives both back.
 */
export class Network {
  readonly #name = `rp${process.pid}`;
  readonly #inside = `${this.#name}i`;
  /** Where the service listens. */
  readonly host: string;

  constructor(owner: Owner) {
    const net = `10.213.${process.pid % 256}`;
    this.host = `${net}.2`;
    run('ip', `netns add ${this.#name}`);
    owner.teardown(() => run('ip', `netns delete ${this.#name}`));
    const outside = `${this.#name}o`;
    run('ip', `link add ${outside} type veth peer name ${this.#inside} netns ${this.#name}`);
    // With the namespace it would end too, but at some later time.
    owner.teardown(() => run('ip', `link delete ${outside}`));
    run('ip', `address add ${net}.1/30 dev ${outside}`);
    run('ip', `link set ${outside} up`);
    this.#runInside('ip', `address add ${this.host}/30 dev ${this.#inside}`);
    this.#comeUp();
  }

  /** Starts a service in it. */
  get wrapper(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name];
  }

  begin(trouble: Trouble): void {
    const [command, args] = troubles[trouble];
    if (command === 'nft') {
      this.#runInside('nft', 'add table inet trouble');
      for (const [chain, hook] of [
        ['in', 'input'],
        ['out', 'output'],
      ]) {
        const what = `add chain inet trouble ${chain} { type filter hook ${hook} priority 0 ; }`;
        this.#runInside('nft', what);
      }
    }
    this.#runInside(command, args.replace('INSIDE', this.#inside));
  }

  end(trouble: Trouble): void {
    const [command] = troubles[trouble];
    if (command === 'nft') this.#runInside('nft', 'delete table inet trouble');
    else if (command === 'tc') this.#runInside('tc', `qdisc delete dev ${this.#inside} root`);
    else this.#comeUp();
  }

  #comeUp(): void {
    this.#runInside('ip', `link set ${this.#inside} up`);
  }

  #runInside(command: string, args: string): void {
    run('ip', `netns exec ${this.#name} ${command} ${args}`);
  }
}

/** Throws when the command fails, or complains: a trouble that was not made would pass every check. */
function run(command: string, args: string): void {
  const { status, stderr, error } = spawnSync(command, args.split(' '), {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    env: { ...process.env, PATH: systemPath() },
  });
  if (error !== undefined) throw error;
  if (status !== 0 || stderr !== '') throw new Error(`${command} ${args}: ${status}, ${stderr}`);
}

/** Without the directories of packages, which npm puts first: one of them has an `nft` of its own. */
function systemPath(): string {
  const directories = process.env['PATH']?.split(delimiter) ?? [];
  return directories.filter((directory) => !directory.includes('node_modules')).join(delimiter);
}
