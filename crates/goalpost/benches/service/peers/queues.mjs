// The queues that Goalpost's is measured against: `queues.mjs QUEUE DEED URL NUMBER`. A job of theirs does nothing.

import { EventEmitter } from "node:events";

import { run, makeWorkerUtils } from "graphile-worker";
import PgBoss from "pg-boss";

const [queue, deed, url, number] = process.argv.slice(2);
const count = Number(number);
/** The time of the machine in milliseconds, with fractions. */
const now = () => performance.timeOrigin + performance.now();
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const graphile = {
  /** Make the tables, and so many jobs. */
  async add() {
    const utils = await makeWorkerUtils({ connectionString: url });
    await utils.migrate();
    await utils.addJobs(Array.from({ length: count }, () => ({ identifier: "noop", payload: {} })));
    await utils.release();
  },
  /** Add a job every 20 ms, each with the time before it was asked for. */
  async ask() {
    const utils = await makeWorkerUtils({ connectionString: url });
    for (let i = 0; i < count; i++) {
      await utils.addJob("noop", { at: now() });
      await pause(20);
    }
    await utils.release();
  },
  /**
   * Do so many jobs at a time, by the default settings, and print when they are listened for, and how late those were
   * that say when they were asked for.
   */
  async work() {
    const late = ({ at }) => at && console.log(now() - at);
    const events = new EventEmitter().on("pool:listen:success", () => console.log("listening"));
    const runner = await run({ connectionString: url, concurrency: count, taskList: { noop: late }, events });
    await runner.promise;
  },
};

const boss = {
  async add() {
    const boss = new PgBoss(url);
    await boss.start();
    await boss.createQueue("noop");
    await boss.insert(Array.from({ length: count }, () => ({ name: "noop", data: {} })));
    await boss.stop({ graceful: false });
  },
  /** So many loops, each of which fetches one job and completes it. */
  async work() {
    const boss = new PgBoss(url);
    await boss.start();
    const loop = async () => {
      for (;;) {
        const [job] = await boss.fetch("noop");
        if (job) await boss.complete("noop", job.id);
        else await pause(500);
      }
    };
    await Promise.all(Array.from({ length: count }, loop));
  },
};

await { graphile, boss }[queue][deed]();
process.exit(0);
