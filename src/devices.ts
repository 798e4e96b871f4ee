/** Which kernel set serves which device. Importing this file is what registers them. */
import { createReferenceKernels } from "./kernels/reference/index.js";
import { registerKernels } from "./tensor/device.js";

registerKernels("cpu", createReferenceKernels());
