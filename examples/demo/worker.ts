/** The worker: hands what the page asks for to the trainer, one thing after the other. */
import type { Report, Request } from "./messages.js";
import { Trainer } from "./trainer.js";

/** What this file needs of a worker's global scope, whose types exclude those of a page. */
interface Scope {
  onmessage: ((event: MessageEvent<Request>) => void) | null;
  postMessage(report: Report): void;
}

const scope = globalThis as unknown as Scope;
const tell = (report: Report): void => scope.postMessage(report);
const trainer = new Trainer(tell);
let last: Promise<void> = Promise.resolve();

/** Does it when what was asked for before is done. */
function inTurn(act: () => Promise<void> | void): void {
  last = last.then(act).catch((error: unknown) => trainer.recover(error));
}

function tellProblem(error: unknown): void {
  tell({ type: "problem", message: error instanceof Error ? error.message : String(error) });
}

scope.onmessage = ({ data: request }) => {
  switch (request.type) {
    case "open":
      inTurn(() => trainer.open(request.dataRoot));
      break;
    case "train":
      inTurn(() => trainer.start());
      break;
    case "pause":
      inTurn(() => trainer.pause());
      break;
    case "startOver":
      inTurn(() => trainer.startOver());
      break;
    case "device":
      inTurn(() => trainer.moveTo(request.device));
      break;
    case "settings":
      inTurn(() => trainer.change(request.settings));
      break;
    case "compare":
      inTurn(() => trainer.compare());
      break;
    case "weights":
      inTurn(() => trainer.weights());
      break;
    // What need not wait until a comparison ends.
    case "stopComparing":
      trainer.stopComparing();
      break;
    case "classify":
      void trainer.classify(request.pixels).catch(tellProblem);
      break;
    case "sample":
      trainer.sample();
      break;
    case "save":
      trainer.saveSoon();
      break;
  }
};
