/**
 * Hosts made of network namespaces, each with a veth pair to a bridge in this process's namespace. This process must run
 * in namespaces of its own (`isolated.ts`), so that the bridge, the addresses and the names touch nothing else.
 */

import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Hosts } from "@stock-bazaar/cluster/hosts";

/** 192.0.2.0/24 is reserved for documentation. */
const addressOf = (number: number) => `192.0.2.${number}`;
/** The name of this process's own host, on which clients and relays run. */
const here = "clients";
/** Runs the command after a name on a machine of that name: processes of several hosts must not take each other's for theirs. */
const named = ["unshare", "--uts", "sh", "-c", 'echo "$0" >/proc/sys/kernel/hostname && exec "$@"'];
/** Where `ip netns` keeps the names. */
const namespaces = "/run/netns";

export class Network implements Hosts {
  readonly here = here;
  readonly #hosts: ReadonlyMap<string, Host>;

  private constructor(hosts: readonly Host[]) {
    this.#hosts = new Map(hosts.map((host) => [host.name, host]));
  }

  static create(names: readonly string[]): Network {
    // Names of namespaces are files; these end with this process's mount namespace.
    run("mount", "-t", "tmpfs", "hosts", "/run");
    ip("link set lo up");
    ip("link add switch type bridge");
    ip(`address add ${addressOf(1)}/24 dev switch`);
    ip("link set switch up");
    nameHosts([here, ...names]);
    return new Network(names.map((name, index) => new Host(name, index + 2)));
  }

  nameOf(name: string): string {
    return this.host(name).name;
  }

  viaOf(name: string): readonly string[] {
    return [...this.host(name).via, ...named, name];
  }

  host(name: string): Host {
    const host = this.#hosts.get(name);
    if (!host) throw new Error(`a host must be one of ${[...this.#hosts.keys()].join(", ")} (got ${name})`);
    return host;
  }

  get hosts(): readonly Host[] {
    return [...this.#hosts.values()];
  }
}

export class Host {
  readonly name: string;
  /** The command that runs the command after it on this host, in the same process. */
  readonly via: readonly string[];
  readonly #number: number;

  constructor(name: string, number: number) {
    this.name = name;
    this.via = ["nsenter", `--net=${namespaces}/${name}`];
    this.#number = number;
    this.#connect();
  }

  get address(): string {
    return addressOf(this.#number);
  }

  /** Unplugs the host from the switch. */
  unplug(): void {
    ip(`link set ${this.#port} down`);
  }

  plug(): void {
    ip(`link set ${this.#port} up`);
  }

  /** Drops packets from now on: of all that this host receives (INPUT) or sends (OUTPUT), those that match. */
  drop(chain: "INPUT" | "OUTPUT", ...match: readonly string[]): void {
    run(...this.via, "iptables", "--append", chain, ...match, "--jump", "DROP");
  }

  dropNothing(): void {
    run(...this.via, "iptables", "--flush");
  }

  /**
   * Replaces the host with a new one of the same name and address, which knows nothing of the old one's connections. Its
   * processes must have ended.
   */
  replace(): void {
    ip(`link delete ${this.#port}`);
    ip(`netns delete ${this.name}`);
    this.#connect();
  }

  /** The addresses and ports at both ends of its TCP connections. */
  get peers(): readonly { readonly from: string; readonly to: string }[] {
    const output = run(...this.via, "ss", "--no-header", "--tcp", "--numeric", "state", "established");
    return output.split("\n").flatMap((line) => {
      const [, , from, to] = line.trim().split(/\s+/);
      return from !== undefined && to !== undefined ? [{ from, to }] : [];
    });
  }

  /** The name of its end of the cable at the switch. */
  get #port(): string {
    return `port${this.#number}`;
  }

  #connect(): void {
    const hardware = `02:00:00:00:00:${this.#number.toString(16).padStart(2, "0")}`;
    ip(`netns add ${this.name}`);
    ip(`link add ${this.#port} type veth peer name eth0 address ${hardware} netns ${this.name}`);
    ip(`link set ${this.#port} master switch up`);
    ip(`-netns ${this.name} link set lo up`);
    ip(`-netns ${this.name} address add ${this.address}/24 dev eth0`);
    ip(`-netns ${this.name} link set eth0 up`);
    // Otherwise connections of killed processes keep a namespace alive for minutes.
    run(...this.via, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/tcp_orphan_retries");
  }
}

/** Names the hosts, the first of which has the address 1, for all processes in this process's mount namespace. */
function nameHosts(names: readonly string[]): void {
  const lines = names.map((name, index) => `${addressOf(index + 1)} ${name}\n`);
  const file = join(tmpdir(), "hosts");
  writeFileSync(file, `127.0.0.1 localhost\n${lines.join("")}`);
  run("mount", "--bind", file, "/etc/hosts");
  rmSync(file);
}

function ip(command: string): void {
  run("ip", ...command.split(" "));
}

/** Runs a command to its end and returns its output. Throws if it fails. */
function run(...command: string[]): string {
  const { success, stdout, stderr } = Bun.spawnSync(command, { stdio: ["ignore", "pipe", "pipe"] });
  if (!success) throw new Error(`${command.join(" ")} must succeed (got: ${stderr.toString().trim()})`);
  return stdout.toString();
}
