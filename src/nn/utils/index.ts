/** Tools for networks. */
export { convToLinear } from "./convToLinear.js";
