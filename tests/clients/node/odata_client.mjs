// `@odata/client`, unchanged, against `/api/v1` of a server: reading and writing, and what its filters look like.
//
//     node odata_client.mjs http://127.0.0.1:8080/api/v1 TOKEN ORGANIZATION
//
// Prints one line per check and ends with `N passed, M failed`.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";

// The packages stand in a folder of their own, which is not above this file.
const packages = createRequire(join(process.env.NODE_FOLDER, "package.json"));
const { OData } = packages("@odata/client");

const [serviceEndpoint, token, organization] = process.argv.slice(2);
const root = `${serviceEndpoint}/organizations(${organization})/`;
const commonHeaders = { Authorization: `Bearer ${token}`, "OData-MaxVersion": "4.0" };
const client = OData.New4({ serviceEndpoint: root, commonHeaders });

/** Every row of a list, by its links. */
async function all(address) {
  const rows = [];
  for (let next = address; next !== undefined; ) {
    const page = await client.requestUri(next);
    assert.ok(Array.isArray(page.value), JSON.stringify(page));
    rows.push(...page.value);
    next = page["@odata.nextLink"];
  }
  return rows;
}

const checks = {
  async "organizations are the one set at the root"() {
    const service = OData.New4({ serviceEndpoint: `${serviceEndpoint}/`, commonHeaders });
    const organizations = await service.getEntitySet("organizations").query();
    assert.deepEqual(organizations.map((row) => row.id), [organization]);
    const one = await service.getEntitySet("organizations").retrieve(organization);
    assert.equal(one.id, organization);
  },

  async "rows are filtered, sorted, chosen and counted"() {
    const goals = client.getEntitySet("goals");
    const everything = await all(`${root}goals`);
    assert.ok(everything.length > 2000, `${everything.length}`);
    assert.equal(await goals.count(), everything.length);
    const late = everything.filter((goal) => goal.status === "At Risk" && goal.progressPercent < 50 && goal.progressPercent !== null);
    const filter = OData.newFilter().field("status").eqString("At Risk").field("progressPercent").lt(50);
    assert.equal(await goals.count(filter), late.length);
    const options = OData.newOptions().filter(filter).select(["id", "title"]).orderby("id", "desc").top(3);
    const expected = late.sort((a, b) => b.id - a.id).slice(0, 3).map(({ id, title }) => ({ id, title }));
    assert.deepEqual(await goals.query(options), expected);
    assert.deepEqual((await goals.find({ id: late[0].id })).map((goal) => goal.title), [late[0].title]);
  },

  async "a list of many pages is read to its end, in the order that was asked for"() {
    const options = OData.newOptions().orderby("title", "asc").select(["id", "title"]);
    const rows = await all(`${root}goals?${options}`);
    assert.equal(new Set(rows.map((row) => row.id)).size, rows.length);
    const titles = rows.map((row) => row.title.toLowerCase());
    assert.deepEqual(titles, titles.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
  },

  async "a goal is made, changed and taken away"() {
    const goals = client.getEntitySet("goals");
    const [period] = await client.getEntitySet("periods").query();
    const made = await goals.create({ title: "Written by a library", objectType: "objective", periodId: period.id });
    assert.ok(made.id, JSON.stringify(made));
    await goals.update(made.id, { title: "Written again" });
    assert.equal((await goals.retrieve(made.id)).title, "Written again");
    const action = await goals.action("close", made.id, { note: "Done" });
    assert.equal(action.status, "Closed");
    await assert.rejects(goals.update(made.id, { title: "Too late" }), /reopen/);
    await goals.action("reopen", made.id, {});
    await goals.delete(made.id);
    await assert.rejects(goals.retrieve(made.id), /no such goal/);
  },

  async "who changes what somebody else has changed is told so"() {
    const [period] = await client.getEntitySet("periods").query();
    const made = await client.getEntitySet("goals").create({ title: "Contested", objectType: "objective", periodId: period.id });
    const held = (tag) => OData.New4({ serviceEndpoint: root, commonHeaders: { ...commonHeaders, "If-Match": tag } }).getEntitySet("goals");
    await held(made["@odata.etag"]).update(made.id, { title: "First" });
    await assert.rejects(held(made["@odata.etag"]).update(made.id, { title: "Second" }), /changed since/);
    await held("*").delete(made.id);
  },

  async "errors say what is wrong"() {
    const goals = client.getEntitySet("goals");
    await assert.rejects(goals.query(OData.newFilter().field("colour").eq(1)), /colour/);
    await assert.rejects(goals.query(OData.newOptions().expand("checkIns")), /\$expand/);
    await assert.rejects(goals.create({ colour: "red" }), /colour/);
    await assert.rejects(client.getEntitySet("colours").query(), /no such resource/);
  },
};

let [passed, failed] = [0, 0];
for (const [name, check] of Object.entries(checks)) {
  const started = performance.now();
  try {
    await check();
    passed += 1;
    console.log(`ok   ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}\n${error.stack}`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
