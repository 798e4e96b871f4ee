/** Why something failed, in the system's own words. fetch hides the reason behind "fetch failed". */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  // Trying several addresses of one host fails with a code and no message.
  return error.message === "" && "code" in error ? String(error.code) : error.message;
}
