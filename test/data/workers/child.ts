/** Leaves a loop early, with batches in the making, and has nothing more to do. */
import { data } from "tapegrad";

const module = new URL("dataset.ts", import.meta.url);
const dataset = new data.WorkerDataset<number>(module, { numWorkers: 2, parameters: { kind: "number", length: 1000 } });
for await (const batch of new data.DataLoader(dataset, { batchSize: 5 })) {
  console.log(`${await batch.toArray()}: done`);
  break;
}
