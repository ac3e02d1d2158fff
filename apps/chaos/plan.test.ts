import { expect, test } from "vitest";
import { faultNamed, possibleFaults } from "./faults/index.ts";
import { faultNames } from "./faults/names.ts";
import { type PlanOptions, planRound, roundsPerCluster } from "./plan.ts";

const common = { seed: 7, roundMs: 2000, frontEnds: 2, clients: 16 };
const options: PlanOptions = { ...common, faults: possibleFaults(faultNames, { onServer: false }) };
const onServer: PlanOptions = { ...common, faults: possibleFaults(faultNames, { onServer: true }), catalogsMax: 3 };
const rounds = Array.from({ length: 400 }, (_, index) => index + 1);
const plans = rounds.map((round) => planRound(round, options));
const plansOnServer = rounds.map((round) => planRound(round, onServer));

test("the same seed and round give the same plan, others give others", () => {
  expect(rounds.map((round) => planRound(round, options))).toEqual(plans);
  expect(new Set(plans.map(({ faults }) => JSON.stringify(faults))).size).toBe(plans.length);
  expect(planRound(1, { ...options, seed: 8 })).not.toEqual(plans[0]);
});

test("rounds of a cluster share its setting", () => {
  for (const { round, cluster, setting } of plans) {
    expect(cluster).toBe(Math.ceil(round / roundsPerCluster));
    expect(setting).toEqual(plans.find((plan) => plan.cluster === cluster)?.setting);
  }
});

test("every fault and every setting occurs", () => {
  expect(new Set(plans.flatMap(({ faults }) => faults.map(({ name }) => name)))).toEqual(new Set(options.faults));
  const named = plansOnServer.flatMap(({ faults }) => faults.map(({ name }) => name));
  expect(new Set(named)).toEqual(new Set(onServer.faults));
  expect(new Set(plansOnServer.map(({ setting }) => setting.catalogs))).toEqual(new Set([1, 2, 3]));
  expect(new Set(plans.map(({ setting }) => setting.catalogs))).toEqual(new Set([1]));
  expect(new Set(plans.map(({ setting }) => setting.cacheSize))).toEqual(new Set([0, 2, 1000]));
  expect(new Set(plans.map(({ setting }) => setting.cacheLeaseMs))).toEqual(new Set([500, 2000]));
  expect(new Set(plans.map(({ setting }) => setting.minCopies))).toEqual(new Set([1, 2]));
  expect(new Set(plans.map(({ setting }) => setting.relays))).toEqual(new Set([true, false]));
  expect(new Set(plans.map(({ setting }) => setting.catalogApart))).toEqual(new Set([true, false]));
  expect(new Set(plans.map(({ setting }) => setting.restocks))).toEqual(new Set([true, false]));
  expect(new Set(plans.map(({ faults }) => faults.length))).toEqual(new Set([1, 2, 3]));
});

test("faults begin in the first part of the round, in order, and last for a time within their ranges", () => {
  for (const { faults } of plans) {
    expect(faults).toEqual(faults.toSorted((a, b) => a.afterMs - b.afterMs));
    for (const { name, afterMs, holdMs, choice } of faults) {
      expect(afterMs).toBeLessThan(options.roundMs);
      expect(faultNamed(name).holdMs.some(([min, max]) => holdMs >= min && holdMs <= max)).toBe(true);
      expect(choice).toBeLessThan(1);
    }
  }
});

test("a disk is filled only in clusters with a small disk", () => {
  for (const { setting, faults } of plans) {
    const owners = faults.flatMap(({ name }) => faultNamed(name).needsSmallDisk ?? []);
    if (setting.smallDisk === undefined) expect(owners).toEqual([]);
    for (const owner of owners) expect(setting.smallDisk).toMatch(owner === "catalog" ? /^catalog$/ : /^order-[123]$/);
  }
});

test("a standby is hit only in clusters that have one", () => {
  for (const { setting, faults } of plansOnServer)
    if (setting.catalogs === 1) expect(faults.filter(({ name }) => faultNamed(name).needsStandby)).toEqual([]);
});

test("a link is cut only in clusters with relays", () => {
  for (const { setting, faults } of plans)
    if (!setting.relays) expect(faults.filter(({ name }) => faultNamed(name).needsRelays)).toEqual([]);
});

test("the catalog's file is replaced only if it has its own folder, as it does on a small disk", () => {
  for (const { setting, faults } of plans) {
    if (setting.smallDisk === "catalog") expect(setting.catalogApart).toBe(true);
    if (!setting.catalogApart) expect(faults.filter(({ name }) => faultNamed(name).needsCatalogApart)).toEqual([]);
  }
});

test.each(faultNames)("a plan can consist of %s alone", (name) => {
  for (const round of rounds.slice(0, 20)) {
    const { faults } = planRound(round, { ...options, faults: [name] });
    expect(new Set(faults.map((fault) => fault.name))).toEqual(new Set([name]));
  }
});
