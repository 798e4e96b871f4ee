/** Logs for ever, to be killed: `loggingChild.ts FOLDER`. Says when the first entries lie in the files. */
import { SummaryWriter } from "../../../src/index.js";

const writer = new SummaryWriter(process.argv[2] ?? "", { formats: ["tensorboard", "csv", "jsonl"] });
for (let step = 0; ; step++) {
  writer.addScalar("loss", 1 / (step + 1), step);
  if (step % 10 !== 9) continue;
  await writer.flush();
  if (step === 99) console.log("begun");
}
