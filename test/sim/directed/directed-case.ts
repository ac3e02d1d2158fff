export interface DirectedCase {
  readonly title: string;
  /** Returns the violations; none if the promise holds. */
  run(): Promise<string[]>;
}
