export interface DirectedCase {
  readonly title: string;
  /** What is wrong; nothing if the promise holds. */
  run(): Promise<string[]>;
}
