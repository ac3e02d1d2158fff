/**
 * To standard output. What that can't take (a full disk) is told on standard error: the number of an order is never lost
 * on its way to whoever asked for it.
 */
export function print(text: string): void {
  process.stdout.write(text, (error) => {
    if (error && !isClosedPipe(error)) process.stderr.write(text);
  });
}

/** `bazaar order | head -1`: who has read enough is no failure to be told of. */
export function isClosedPipe(error: Error): boolean {
  return "code" in error && error.code === "EPIPE";
}
