import { expect, test } from "vitest";
import { observe } from "../../../test/support/observe.ts";
import { Proofs } from "./proofs.ts";

/** Lets a test answer each proof that was sent. */
function manualProofs() {
  const sent: PromiseWithResolvers<void>[] = [];
  const proofs = new Proofs(() => {
    const answer = Promise.withResolvers<void>();
    sent.push(answer);
    return answer.promise;
  });
  return { sent, prove: () => observe(proofs.prove()), settled: () => Bun.sleep(1) };
}

test("a proof that is under way doesn't serve a later call; the next one serves all that wait", async () => {
  const { sent, prove, settled } = manualProofs();
  const first = prove();
  const [second, third] = [prove(), prove()];
  expect(sent).toHaveLength(1);
  sent[0]?.resolve();
  await settled();
  expect([first.state, second.state, third.state, sent.length]).toEqual(["resolved", "pending", "pending", 2]);
  const fourth = prove();
  sent[1]?.resolve();
  await settled();
  expect([second.state, third.state, fourth.state, sent.length]).toEqual(["resolved", "resolved", "pending", 3]);
  sent[2]?.resolve();
  await settled();
  expect(fourth.state).toBe("resolved");
  prove();
  expect(sent).toHaveLength(4);
});

test("a failed proof fails the calls that it served, and the next one is sent", async () => {
  const { sent, prove, settled } = manualProofs();
  const [first, second] = [prove(), prove()];
  sent[0]?.reject(new Error("deposed"));
  await settled();
  expect([first.state, second.state, sent.length]).toEqual(["rejected", "pending", 2]);
  sent[1]?.resolve();
  await settled();
  expect(second.state).toBe("resolved");
});
