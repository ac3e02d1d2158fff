/** The part of `lsof` that the documents use, for a Linux without it: `lsof -t -i tcp:PORT -s tcp:LISTEN`. */

import { readdirSync, readFileSync, readlinkSync } from "node:fs";

const port = Number(process.argv.find((word) => word.startsWith("tcp:") && word !== "tcp:LISTEN")?.slice(4));
const listening = "0A";
const inodes = readFileSync("/proc/net/tcp", "utf8")
  .split("\n")
  .map((line) => line.trim().split(/\s+/))
  .filter(([, local = "", , state]) => state === listening && Number.parseInt(local.split(":")[1] ?? "", 16) === port)
  .map((fields) => `socket:[${fields[9]}]`);

const holders = readdirSync("/proc")
  .filter((name) => /^\d+$/.test(name))
  .filter((pid) => {
    try {
      return readdirSync(`/proc/${pid}/fd`).some((fd) => inodes.includes(readlinkSync(`/proc/${pid}/fd/${fd}`)));
    } catch {
      // The process has ended, or belongs to another user.
      return false;
    }
  });
process.stdout.write(holders.map((pid) => `${pid}\n`).join(""));
process.exit(holders.length > 0 ? 0 : 1);
