/** The page: shows what the worker tells, and tells it what the user wants. */
import type { Device } from "tapegrad";
import { Drawing } from "./drawing.js";
import { byId } from "./elements.js";
import type { Curves, Offer, Report, Request, Status } from "./messages.js";
import { FilterPictures } from "./pictures.js";
import { accuracyPlot, lossPlot } from "./plots.js";
import { Races } from "./races.js";
import { SettingsForm } from "./settingsForm.js";

const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "training" });
const ask = (request: Request): void => worker.postMessage(request);

const trainButton = byId("train", HTMLButtonElement);
const startOverButton = byId("start-over", HTMLButtonElement);
const devices = byId("devices", HTMLFieldSetElement);
const sampleButton = byId("sample", HTMLButtonElement);
const weightsButton = byId("weights", HTMLButtonElement);
const problem = byId("problem");

const plots = [accuracyPlot(byId("accuracy-plot")), lossPlot(byId("loss-plot"))];
const filters = new FilterPictures(byId("filters"));
const drawing = new Drawing((pixels) => ask({ type: "classify", pixels }), filters);
const races = new Races(ask);
const settings = new SettingsForm((changed) => ask({ type: "settings", settings: changed }));

let status: Status | null = null;
/** The device that was asked for and is not there yet. */
let wanted: Device | null = null;

trainButton.addEventListener("click", () => {
  problem.hidden = true;
  ask({ type: status?.activity === "training" ? "pause" : "train" });
});
startOverButton.addEventListener("click", () => ask({ type: "startOver" }));
sampleButton.addEventListener("click", () => ask({ type: "sample" }));
weightsButton.addEventListener("click", () => ask({ type: "weights" }));
devices.addEventListener("change", (event) => {
  if (!(event.target instanceof HTMLInputElement)) return;
  wanted = event.target.value === "webgpu" ? "webgpu" : "cpu";
  ask({ type: "device", device: wanted });
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") ask({ type: "save" });
});
worker.addEventListener("message", ({ data }: MessageEvent<Report>) => show(data));
worker.addEventListener("error", ({ message }) =>
  showProblem(message || "The worker that trains could not be started."),
);
ask({ type: "open", dataRoot: new URL("mnist", document.baseURI).href });

function show(report: Report): void {
  switch (report.type) {
    case "loading":
      say(`Loading ${report.what} …`);
      break;
    case "offer":
      races.open(report.offer);
      showOffer(report.offer);
      break;
    case "status":
      showStatus(report.status);
      break;
    case "curves":
      showCurves(report.curves);
      break;
    case "speed":
      put("speed", Math.round(report.imagesPerSecond).toLocaleString("en"));
      put("seen", report.imagesSeen.toLocaleString("en"));
      put("seen-until", `Images, epoch ${report.epoch}`);
      drawing.askAgain();
      break;
    case "filters":
      filters.showWeights(report.weights);
      break;
    case "classified":
      drawing.show(report.probabilities, report.seen);
      break;
    case "sample":
      drawing.sample(report.pixels, report.label);
      break;
    case "weights":
      download(report.blob, "digits.safetensors");
      break;
    case "races":
      races.show(report.races);
      break;
    case "problem":
      showProblem(report.message);
      break;
  }
}

function showOffer({ threads, isolated, gpu, gpuMissing }: Offer): void {
  const cores = threads === 1 ? "1 thread" : `${threads} threads`;
  const why = isolated || threads > 1 ? "" : ", since this page is not cross-origin isolated";
  byId("offer").textContent = `CPU: ${cores}${why}. ${gpu === null ? gpuMissing : `GPU: ${gpu}.`}`;
  for (const input of devices.querySelectorAll("input")) input.disabled = input.value === "webgpu" && gpu === null;
}

function showStatus(next: Status): void {
  status = next;
  const { activity, device, imagesSeen, epoch } = next;
  const isComparing = activity === "comparing";
  const where = device === "cpu" ? "the CPU" : "the GPU";
  const words = {
    training: `Training on ${where}`,
    comparing: "Waiting for the comparison",
    paused: imagesSeen === 0 ? "Ready" : `Paused on ${where}`,
  };
  say(words[activity]);
  trainButton.textContent = activity === "training" ? "Pause" : imagesSeen === 0 ? "Train" : "Resume";
  for (const button of [trainButton, startOverButton, weightsButton]) button.disabled = isComparing;
  sampleButton.disabled = false;
  devices.disabled = isComparing;
  if (device === wanted) wanted = null;
  for (const input of devices.querySelectorAll("input")) input.checked = input.value === (wanted ?? device);
  settings.show(next.settings, isComparing);
  races.isComparing = isComparing;
  put("seen", imagesSeen.toLocaleString("en"));
  put("seen-until", `Images, epoch ${epoch}`);
  if (activity !== "training") put("speed", "–");
  drawing.askAnyway();
  document.body.dataset.activity = activity;
}

function showCurves(curves: Curves): void {
  for (const plot of plots) plot.show(curves);
  const last = curves.test.at(-1);
  put("accuracy", last === undefined ? "–" : `${(100 * last.accuracy).toFixed(1)} %`);
  put("loss", last === undefined ? "–" : last.loss.toFixed(3));
}

function showProblem(message: string): void {
  wanted = null;
  for (const input of devices.querySelectorAll("input")) input.checked = input.value === (status?.device ?? "cpu");
  problem.textContent = message;
  problem.hidden = false;
}

function say(text: string): void {
  put("status", text);
}

function put(id: string, text: string): void {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

function download(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // Some browsers begin to read it later.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
