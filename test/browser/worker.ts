/** What the worker of the browser tests runs: it trains on the GPU, as a page does that wants to stay responsive. */
import { train } from "./train.js";

train("webgpu", 10).then(
  (losses) => postMessage({ losses }),
  (error: Error) => postMessage({ error: `${error.name}: ${error.message}` }),
);
