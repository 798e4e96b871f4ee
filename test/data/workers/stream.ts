/** A module that serves what workers cannot share. */
import { data } from "tapegrad";

const stream = [1, 2, 3][Symbol.iterator]();
export default data.serveDataset(() => stream as unknown as data.Dataset<number>);
