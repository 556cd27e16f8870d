import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ChildService, type End } from '../../support/child-service.ts';
import type { SeededRandom } from '../../support/seeded-random.ts';
import { Client, type Load } from '../client.ts';
import type { Evidence, Fault, FaultRun } from '../fault.ts';
import { type PlannedFault, Shim } from '../shim.ts';
import { storeEvidence } from '../store-evidence.ts';
import { TcpProxy } from '../tcp-proxy.ts';
import type { TrialOwner } from '../trial-owner.ts';
import { PowerSwitch, Volume } from '../volume.ts';

/** Histories until there are so many of them, and so many operations in them. */
const sizes = {
  quick: { histories: 4, operations: 4000 },
  soak: { histories: 100, operations: 100_000 },
};

/** What befalls the service in one history, while two clients write and read all the time. */
const eventsPerHistory = 7;

const volumeBytes = 64 << 20;

export const mixedHistories: Fault = {
  id: 'F24',
  title: 'kills, power cuts, I/O errors, a broken network, pauses and stops in one history',
  needs: ['mounts', 'compiler'],
  async run(run) {
    const { histories, operations } = sizes[run.size];
    const tools = { shim: Shim.compile(run.directory), power: PowerSwitch.compile(run.directory) };
    const befallen = new Map<Event, number>();
    let made = 0;
    for (let number = 0; number < histories || made < operations; number += 1) {
      await run.trial(`history ${number}`, async (owner) => {
        const history = new History(run, owner, tools, number);
        const evidence = await history.run();
        made += history.operations;
        for (const event of history.events) befallen.set(event, (befallen.get(event) ?? 0) + 1);
        return evidence;
      });
      // A suite that makes nothing would never end.
      if (number >= 3 * histories)
        throw new Error(`only ${made} operations in ${number} histories`);
    }
    const counts = [...befallen].map(([event, count]) => `${count} × ${event}`).join(', ');
    run.note(`${made} operations in linearizable histories, with ${counts}`);
  },
};

const events = [
  'kill',
  'power cut',
  'I/O error',
  'broken network',
  'pause',
  'stop',
  'impatience',
] as const;
type Event = (typeof events)[number];

interface Tools {
  readonly shim: Shim;
  readonly power: PowerSwitch;
}

/** The story of one store: a service that is started again and again, and two clients that go on. */
class History {
  readonly #run: FaultRun;
  readonly #owner: TrialOwner;
  readonly #tools: Tools;
  readonly #volume: Volume;
  readonly #directory: string;
  readonly #clients: readonly Client[];
  readonly #violations: string[] = [];
  readonly events: Event[];
  operations = 0;
  #acknowledged = 0;

  constructor(run: FaultRun, owner: TrialOwner, tools: Tools, number: number) {
    this.#run = run;
    this.#owner = owner;
    this.#tools = tools;
    const memory = Volume.tmpfs(owner, join(run.directory, `memory-${number}`), 2 * volumeBytes);
    this.#volume = Volume.ext4(owner, join(memory.directory, 'volume'), volumeBytes);
    this.#directory = join(this.#volume.directory, 'data');
    const log = join(run.directory, `history-${number}`);
    this.#clients = [1, 2].map((client) => new Client(owner, `${log}.${client}.log`, client));
    this.events = Array.from({ length: eventsPerHistory }, () => run.random.pick(events));
  }

  async run(): Promise<Evidence> {
    let scene = await this.#start();
    for (const event of this.events) {
      const loads = this.#clients.map((client) => client.load(this.#load(event, scene)));
      await delay(100 + this.#run.random.integer(300));
      const end = await this.#befall(event, scene);
      for (const client of this.#clients) client.stop();
      for (const result of await Promise.all(loads)) {
        const { acknowledged, refused, unknown, reads } = result;
        this.#acknowledged += acknowledged;
        this.operations += acknowledged + refused + unknown + reads;
      }
      if (end !== undefined) scene = await this.#start();
    }
    const { code } = await scene.service.kill('SIGTERM');
    if (code !== 0) this.#violations.push(`the stop ended with code ${code}`);
    const logs = this.#clients.map(({ log }) => log);
    const evidence = await storeEvidence(
      this.#run.checker,
      this.#directory,
      'stopped',
      logs,
      this.#acknowledged,
    );
    return { ...evidence, violations: [...(evidence.violations ?? []), ...this.#violations] };
  }

  async #start(): Promise<Scene> {
    const { random } = this.#run;
    const operations = random.pick([['write'], ['fdatasync'], ['fsync', 'rename']] as const);
    const path = `${this.#directory}/`;
    const failing = this.#owner.own(this.#tools.shim.plan({ operations, path, error: 'EIO' }));
    const flags = [
      ...['--segment-bytes-max', random.pick(['4096', '100000'])],
      ...['--flush-interval-ms', random.pick(['1', '50'])],
      ...['--checkpoint-interval-ms', random.pick(['1', '100'])],
      // Last prices come from the files too.
      ...['--last-prices-max', random.pick(['1', '1000'])],
    ];
    const { surroundings } = failing;
    const service = await ChildService.start(this.#owner, this.#directory, flags, surroundings);
    return { service, failing, proxy: await TcpProxy.open(this.#owner, service.port) };
  }

  #load(event: Event, { proxy }: Scene): Load {
    const { random } = this.#run;
    return {
      port: proxy.port,
      connections: random.pick([2, 10, 25]),
      products: random.pick([1, 3, 30]),
      readPercent: 40,
      onBroken: 'again',
      timeoutMs: patienceMs(event, random),
    };
  }

  /** How the service ended; undefined when it lives on. */
  async #befall(event: Event, { service, failing, proxy }: Scene): Promise<End | undefined> {
    const { random } = this.#run;
    switch (event) {
      case 'kill':
        return service.kill('SIGKILL');
      case 'stop':
        return service.kill('SIGTERM');
      case 'power cut':
        this.#tools.power.cut(this.#volume, service.pid);
        await service.exited;
        this.#volume.remount();
        return service.exited;
      case 'I/O error':
        failing.arm(1 + random.integer(20), 1);
        await Promise.race([service.exited, delay(400)]);
        failing.disarm();
        return this.#endAfterError(service, failing);
      case 'broken network':
        proxy.set(random.pick(['cut', 'delay', 'swallow answers', 'half-open']));
        await delay(200 + random.integer(300));
        proxy.set('pass');
        await delay(100);
        return undefined;
      case 'pause':
        service.signal('SIGSTOP');
        await delay(100 + random.integer(900));
        service.signal('SIGCONT');
        await delay(100);
        return undefined;
      case 'impatience':
        await delay(200);
        return undefined;
    }
  }

  /** It has ended by itself because nobody knows what the journal holds, or a stop finds all well. */
  async #endAfterError(service: ChildService, { counts }: PlannedFault): Promise<End> {
    const end = await service.kill('SIGTERM');
    if (end.code !== 0 && end.code !== 74) {
      this.#violations.push(`after ${counts.where} it ended with ${end.code ?? end.signal}`);
    }
    return end;
  }
}

interface Scene {
  readonly service: ChildService;
  /** An I/O error that is not there yet. */
  readonly failing: PlannedFault;
  /** The way that the clients take. */
  readonly proxy: TcpProxy;
}

/** An impatient client breaks off and so never knows; the others wait out a pause, but not a dead network. */
function patienceMs(event: Event, random: SeededRandom): number {
  if (event === 'impatience') return random.pick([2, 5, 10]);
  return event === 'broken network' ? 500 : 10_000;
}
