import { SetupError } from "@stock-bazaar/shared/errors";

/** A restore was refused, and no database was changed. The message contains what to do. */
export class RestoreError extends SetupError {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "RestoreError";
  }
}
