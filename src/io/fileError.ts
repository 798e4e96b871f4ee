import { TapegradError } from "../errors.js";

/** A file or an address could not be read, or a file not be written. What the system said is in `cause`. */
export class FileError extends TapegradError {
  override readonly name = "FileError";
}
