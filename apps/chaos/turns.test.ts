import { expect, test } from "vitest";
import { Turns } from "./turns.ts";

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

test("actions that share a name run one after the other, others in parallel", async () => {
  const turns = new Turns();
  const log: string[] = [];
  const first = gate();
  const all = [
    turns.alone(["a", "b"], async () => {
      await first.opened;
      log.push("a and b");
    }),
    turns.alone(["b", "c"], async () => void log.push("b and c")),
  ];
  await turns.alone(["d"], async () => void log.push("d"));
  expect(log).toEqual(["d"]);
  first.open();
  await Promise.all(all);
  expect(log).toEqual(["d", "a and b", "b and c"]);
});

test("a failed action rejects and doesn't block the next one", async () => {
  const turns = new Turns();
  await expect(turns.alone(["a"], () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await expect(turns.alone(["a"], async () => {})).resolves.toBeUndefined();
});
