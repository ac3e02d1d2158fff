/**
 * Runs a command in network, mount and process namespaces of its own. Whatever it creates there — interfaces, rules,
 * mounts, processes — is gone when it ends, however it ends.
 */

/**
 * `--kill-child`: the command is killed with `unshare`, and as the first process of its namespace takes all others with
 * it.
 */
const unshare = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
/** Another user than root gets all rights in these namespaces, where the system allows it, and no others. */
const asRoot = process.getuid?.() === 0 ? [] : ["--map-root-user"];

export function isolated(...command: readonly string[]): string[] {
  return [...unshare, ...asRoot, "--", ...command];
}

/** What the network needs of a machine. */
const probe = `
  mount -t tmpfs hosts /run
  ip netns add host
  ip link add switch type bridge
  ip link add port type veth peer name eth0 netns host
  nsenter --net=/run/netns/host ip link set eth0 up
  unshare --uts sh -c 'echo host >/proc/sys/kernel/hostname'
  iptables --append INPUT --match statistic --mode random --probability 0.01 --jump DROP
  ss --no-header --tcp
  mount --bind /dev/null /etc/hosts`;

/** Why this machine can't have hosts made of network namespaces; `undefined` if it can. */
export function whyNotIsolated(): string | undefined {
  if (process.platform !== "linux") return "hosts made of network namespaces need Linux";
  try {
    const { success, stderr } = Bun.spawnSync(isolated("sh", "-ec", probe), { stdio: ["ignore", "ignore", "pipe"] });
    if (success) return undefined;
    return `hosts made of network namespaces need iproute2, iptables, and root or user namespaces: ${stderr.toString().trim()}`;
  } catch (error) {
    return `hosts made of network namespaces need unshare: ${String(error)}`;
  }
}
