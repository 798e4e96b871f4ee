import { isAvailable, nn, profile, randn, setDefaultDevice, webgpu } from "tapegrad";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requestDevice } from "../../src/kernels/webgpu/adapter.js";
import { describeOnGpu } from "../kernels/webgpu/gpu.js";

describeOnGpu("profiles on a GPU", () => {
  beforeAll(async () => {
    expect(await isAvailable("webgpu")).toBe(true);
    await webgpu.init({ device: await requestDevice({}) });
    await setDefaultDevice("webgpu");
  });
  afterAll(() => setDefaultDevice("cpu"));

  test("have times of its own clock, and leave the device as it was", async () => {
    const layer = new nn.Linear(256, 256);
    const x = randn([256, 256]);
    const result = await profile(async () => {
      const out = layer.forward(x).relu();
      out.sum().backward();
      await out.data();
    });
    expect(result.gpuTimes).toBe("device");
    const linear = result.rows.find(({ name }) => name === "linear");
    expect(linear?.count).toBe(1);
    expect(linear?.deviceTime).toBeGreaterThan(0);
    expect(String(result)).toContain("GPU is what the GPU's own clock says");
    for (const line of String(result).split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    const { traceEvents } = JSON.parse(result.chromeTrace()) as {
      traceEvents: { cat?: string; tid: number; ts: number; dur: number; args: { op?: string } }[];
    };
    const onDevice = traceEvents.filter(({ cat }) => cat === "device");
    expect(onDevice.some(({ args }) => args.op === "linear")).toBe(true);
    let end = 0;
    for (const { tid, ts, dur } of onDevice) {
      expect(tid).toBe(2);
      expect(ts).toBeGreaterThanOrEqual(end);
      expect(dur).toBeGreaterThanOrEqual(0);
      end = ts + dur;
    }
    // A clock that guards against spies ticks every 65.536 µs.
    expect(onDevice.some(({ dur }) => Math.abs(dur / 65.536 - Math.round(dur / 65.536)) > 0.01)).toBe(true);
    await expect(webgpu.profile()).rejects.toThrow(/^webgpu\.profile: got a device that measures nothing/);
  });

  test("say that times are those of launching where the GPU tells none", async () => {
    const device = await requestDevice({});
    Object.defineProperty(device, "features", { value: new Set() });
    await webgpu.init({ device });
    const result = await profile(() => randn([8, 8]).exp());
    expect(result.gpuTimes).toBe("dispatch");
    expect(result.rows.find(({ name }) => name === "exp")).toMatchObject({ count: 1, deviceTime: null });
    expect(String(result)).toContain(
      "Times are those of launching, for what computes on a GPU: it does not tell its own.",
    );
  });
});
