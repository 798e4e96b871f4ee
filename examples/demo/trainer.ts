/** What the worker does: trains until it is told otherwise, and answers in between. */
import { type Device, data, setDefaultDevice, setNumThreads, TapegradError } from "tapegrad";
import { race } from "./comparison.js";
import { contenders, defaultSettings, type Offer, type Report, type Settings, type Status } from "./messages.js";
import { pixels } from "./network.js";
import { findOffer } from "./offer.js";
import { Means, Speed } from "./pace.js";
import { type Found, Run, seedByClock, settingsOf } from "./run.js";
import { forget, keep, kept } from "./store.js";

/** Milliseconds between two reports to the page. */
const reportEvery = 200;
/** Milliseconds between two reports of all that takes longer: curves, filters. */
const pictureEvery = 500;
/** Milliseconds of training between two saves. */
const saveEvery = 10_000;
/** Images that a point of the training curve is the mean of, at the least. */
const leastImages = 256;
/** Test images in a test while training goes on. */
const quickTest = 500;
/** Milliseconds between two tests, at the least; they may take a sixth of the time. */
const testEvery = 500;
/** A test set is smaller than its training set by this factor, as MNIST's is. */
const testShare = 6;

export class Trainer {
  private offer: Offer | null = null;
  private train: data.MNIST | null = null;
  private test: data.MNIST | null = null;
  private run: Run | null = null;
  private activity: Status["activity"] = "paused";
  private stopping = false;
  private loop: Promise<void> = Promise.resolve();
  /** How long the last test took, and when it ended. */
  private lastTest = { took: 0, at: 0 };
  private lastSave = 0;
  private dataRoot = "";
  /** Whether the browser keeps what it is given. */
  private keeps = true;

  constructor(private readonly tell: (report: Report) => void) {}

  /** Finds out what there is, loads the digits, and takes up the run that was kept, if there is one. */
  async open(dataRoot: string): Promise<void> {
    this.dataRoot = dataRoot;
    this.offer = await findOffer();
    this.tell({ type: "offer", offer: this.offer });
    const last = await kept().catch(() => null);
    const device: Device = last?.device === "webgpu" && this.offer.gpu !== null ? "webgpu" : "cpu";
    if (last !== null) {
      try {
        await this.load(await settingsOf(last.blob));
        await this.take(() => Run.goOn(last.blob, device, ...this.digits()));
        return;
      } catch (error) {
        if (!(error instanceof TapegradError)) throw error;
        await forget();
        this.tell({
          type: "problem",
          message: `What was kept could not be read, so this is a new network. ${error.message}`,
        });
      }
    }
    await this.load(defaultSettings);
    seedByClock();
    await this.take(() => Run.begin(device, ...this.digits(), defaultSettings));
  }

  /** Starts training, or goes on. */
  start(): void {
    if (this.activity !== "paused") return;
    this.activity = "training";
    this.stopping = false;
    this.tellStatus();
    this.loop = this.trainOn(this.current())
      .catch((error: unknown) => this.recover(error))
      .finally(() => {
        this.activity = "paused";
        this.tellStatus();
      });
  }

  /** Stops after the step that is under way. */
  async pause(): Promise<void> {
    this.stopping = true;
    await this.loop;
  }

  /** A new network, with the settings and on the device of the one before. */
  async startOver(): Promise<void> {
    await this.between(async ({ device, settings }) => {
      seedByClock();
      await this.take(() => Run.begin(device, ...this.digits(), settings));
    });
  }

  /** Takes the run to another device, where it goes on. */
  async moveTo(device: Device): Promise<void> {
    await this.between(async (run) => {
      if (run.device === device) return;
      const blob = await run.toBlob();
      await this.take(() => Run.goOn(blob, device, ...this.digits()));
    });
  }

  async change(settings: Settings): Promise<void> {
    await this.between(async (run) => {
      if (settings.images !== run.settings.images) await this.load(settings);
      run.change(settings, ...this.digits());
      this.tellStatus();
    });
  }

  /** Trains a network of its own on each device in turn; `stopComparing` ends it early. */
  async compare(): Promise<void> {
    await this.between(async ({ device, settings }) => {
      const { offer } = this;
      if (offer === null) return;
      this.activity = "comparing";
      this.stopping = false;
      this.tellStatus();
      try {
        await race(this.digits()[0], settings, contenders(offer), {
          report: (races) => this.tell({ type: "races", races }),
          isStopped: () => this.stopping,
        });
      } finally {
        setNumThreads(offer.threads);
        await setDefaultDevice(device);
        this.activity = "paused";
        this.tellStatus();
      }
    });
  }

  stopComparing(): void {
    if (this.activity === "comparing") this.stopping = true;
  }

  /** Answers with what the network takes an image for. Steps may go on meanwhile. */
  async classify(image: Float32Array): Promise<void> {
    if (this.run === null) return;
    this.tell({ type: "classified", ...(await this.run.classify(image)) });
  }

  /** Picks a test image. */
  sample(): void {
    if (this.test === null) return;
    const index = Math.floor(Math.random() * this.test.length);
    const size = 28 * 28;
    const image = this.test.data.slice(index * size, (index + 1) * size);
    this.tell({ type: "sample", pixels: image, label: this.test.targets[index] ?? 0 });
  }

  /** Hands the weights out as safetensors. */
  async weights(): Promise<void> {
    await this.between(async (run) => this.tell({ type: "weights", blob: await run.weights() }));
  }

  /** Keeps the run after the step that is under way. While it does not train it is kept already. */
  saveSoon(): void {
    this.lastSave = Number.NEGATIVE_INFINITY;
  }

  /** Says what went wrong, and goes back to what was saved last: what a lost GPU had is gone. */
  async recover(error: unknown): Promise<void> {
    const message = error instanceof Error ? error.message : String(error);
    const last = await kept().catch(() => null);
    if (last === null) {
      this.tell({ type: "problem", message });
      return;
    }
    try {
      await this.take(() => Run.goOn(last.blob, "cpu", ...this.digits()));
      this.tell({
        type: "problem",
        message: `The network is back as it was saved last, on the CPU. What happened: ${message}`,
      });
    } catch {
      this.tell({ type: "problem", message: `Please open the page again. What happened: ${message}` });
    }
  }

  /** Does something while no step is under way, and goes on afterwards as before. */
  private async between(act: (run: Run) => Promise<void>): Promise<void> {
    const wasTraining = this.activity === "training";
    await this.pause();
    await act(this.current());
    if (wasTraining) this.start();
  }

  private async trainOn(run: Run): Promise<void> {
    let waiting: Promise<Found> | null = null;
    const means = new Means();
    const speed = new Speed();
    let lastReport = performance.now();
    let lastPicture = 0;
    if (run.curves.test.length === 0) await this.testOn(run, quickTest);
    while (!this.stopping) {
      const launched = await run.step();
      if (waiting !== null) {
        // One step behind: a GPU has the next one already when it is asked for what it found in this one.
        const found = await waiting;
        means.add(found);
        speed.add(found.images);
      }
      waiting = launched?.found ?? null;
      const now = performance.now();
      if (now - lastReport >= reportEvery) {
        lastReport = now;
        this.tell({ type: "speed", imagesPerSecond: speed.perSecond, imagesSeen: run.imagesSeen, epoch: run.epoch });
        if (means.images >= leastImages) run.addTraining(means.take());
      }
      const { at, took } = this.lastTest;
      const testDue = now - at >= Math.max(testEvery, 5 * took);
      if (launched === null || testDue) {
        await this.testOn(run, launched === null ? Infinity : quickTest);
        speed.rest();
      }
      if (now - lastPicture >= pictureEvery) {
        lastPicture = now;
        await this.tellPictures(run);
      }
      if (performance.now() - this.lastSave >= saveEvery) {
        await this.save();
        speed.rest();
      }
    }
    await waiting;
    await this.tellPictures(run);
    await this.save();
  }

  private async testOn(run: Run, count: number): Promise<void> {
    const begin = performance.now();
    await run.testOn(count);
    const at = performance.now();
    this.lastTest = { took: at - begin, at };
  }

  private async load(settings: Settings): Promise<void> {
    const { images } = settings;
    this.tell({ type: "loading", what: `${images.toLocaleString("en")} digits` });
    const options = { root: this.dataRoot, normalize: pixels };
    const train = new data.MNIST({ ...options, train: true, limit: images });
    const test = new data.MNIST({ ...options, train: false, limit: Math.ceil(images / testShare) });
    await Promise.all([train.load(), test.load()]);
    this.train = train;
    this.test = test;
  }

  /** Makes a run the one that goes on. */
  private async take(make: () => Promise<Run>): Promise<void> {
    this.run = await make();
    await this.tellPictures(this.run);
    await this.save();
    this.tellStatus();
  }

  /** Keeps the run, so that it is there when the page is opened again. */
  private async save(): Promise<void> {
    this.lastSave = performance.now();
    if (!this.keeps) return;
    const { device } = this.current();
    const blob = await this.current().toBlob();
    try {
      await keep({ device, blob });
    } catch (error) {
      this.keeps = false;
      this.tell({
        type: "problem",
        message: `This browser keeps nothing for later (${String(error)}). Training goes on.`,
      });
    }
  }

  private current(): Run {
    if (this.run === null) throw new Error("The page asked for a network before it was opened.");
    return this.run;
  }

  private digits(): [train: data.MNIST, test: data.MNIST] {
    if (this.train === null || this.test === null) throw new Error("The page asked for digits before it was opened.");
    return [this.train, this.test];
  }

  private tellStatus(): void {
    const { device, settings, imagesSeen, epoch } = this.current();
    this.tell({ type: "status", status: { activity: this.activity, device, settings, imagesSeen, epoch } });
  }

  private async tellPictures(run: Run): Promise<void> {
    this.tell({ type: "curves", curves: run.curves });
    this.tell({ type: "filters", weights: await run.filters() });
  }
}
