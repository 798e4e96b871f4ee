/** Whole processes on the device "webgpu": they end by themselves, with the exit code that is due. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { describeOnGpu } from "./gpu.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(script: string, env: Record<string, string> = {}): Promise<Ended> {
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", script], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (text) => {
    stdout += text;
  });
  child.stderr.on("data", (text) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout: stdout.trim(), stderr }));
  });
}

const start = 'import { randn, setDefaultDevice, webgpu, zeros } from "tapegrad"; await setDefaultDevice("webgpu");';

describeOnGpu("a process", () => {
  test.each([
    ["that has read what it wanted", "console.log((await randn([64, 64]).exp().data()).length);", "4096"],
    ["that left launches unsent", "zeros([8]).exp();", ""],
    ["that never awaited its reads", "for (let i = 0; i < 9; i++) void randn([99, 99]).exp().data();", ""],
    [
      "that allocated much",
      "for (let i = 0; i < 99; i++) randn([256, 256]).add(1); console.log(await zeros([]).item());",
      "0",
    ],
    [
      "that caught an error of the GPU",
      `const x = zeros([4]);
       x.gather(0, zeros([2], { dtype: "int32" }).add(7));
       await x.data().catch((error) => console.log(error.name));
       console.log(await x.sum().item());`,
      "ShapeError\n0",
    ],
    [
      "that started a second device",
      "await webgpu.init({ debug: true }); const x = zeros([4]).exp(); console.log(await x.sum().item());",
      "4",
    ],
    [
      "whose own device was destroyed",
      `const { create } = await import("webgpu");
       const device = await (await (globalThis.gpu = create([])).requestAdapter()).requestDevice();
       await webgpu.init({ device });
       const x = zeros([4]);
       const pending = x.data().catch((error) => error.name);
       device.destroy();
       console.log(await pending);
       await setDefaultDevice("webgpu");
       console.log(await zeros([4]).exp().sum().item());`,
      "DeviceError\n4",
    ],
  ])("%s ends by itself", async (_, script, expected) => {
    const { code, signal, stdout, stderr } = await run(start + script);
    expect({ code, signal, stdout, stderr }).toEqual({ code: 0, signal: null, stdout: expected, stderr: "" });
  });

  test("that exits while the GPU computes does so without a crash", async () => {
    const script = "const x = randn([512, 512]); void x.matmul(x).matmul(x).data(); process.exit(3);";
    const { code, signal, stderr } = await run(start + script);
    expect({ code, signal, stderr }).toEqual({ code: 3, signal: null, stderr: "" });
  });

  test.each([
    ["throws", 'zeros([4]).exp(); throw new Error("on purpose");'],
    ["leaves a rejection unhandled", 'void zeros([4]).data().then(() => { throw new Error("on purpose"); });'],
  ])("that %s fails, and does not crash", async (_, script) => {
    const { code, signal, stderr } = await run(start + script);
    expect({ code, signal }).toEqual({ code: 1, signal: null });
    expect(stderr).toContain("on purpose");
  });
});

test("without an adapter, the error says what was looked for and what to install", async () => {
  const script = `
    import { isAvailable, setDefaultDevice, zeros } from "tapegrad";
    console.log(await isAvailable("webgpu"), await isAvailable("cpu"));
    await setDefaultDevice("webgpu").catch((error) => console.log(error.name + "\\n" + error.message));
    console.log(zeros([1]).device);`;
  const { code, stdout } = await run(script, { VK_DRIVER_FILES: "/nowhere", VK_ICD_FILENAMES: "/nowhere" });
  expect(code).toBe(0);
  expect(stdout).toBe(
    `false true
DeviceError
webgpu: the npm package "webgpu" is there but found no adapter; expected a GPU with a driver for Vulkan, Metal or Direct3D 12. Install one (on Debian: apt-get install libvulkan1 mesa-vulkan-drivers), or for a driver that runs on the CPU: apt-get install libvulkan1 chromium, with VK_DRIVER_FILES=/usr/lib/chromium/vk_swiftshader_icd.json
cpu`,
  );
});
