/**
 * A channel that doesn't wait for ever for a connection.
 *
 * grpc-js has no limit for that. If a network loses packets for a minute, the kernel may repeat the first packet of a
 * connection only half a minute after the network is mended. If a process freezes, its kernel still accepts
 * connections; when that machine loses its power, nothing ends them, because keepalive begins after the first answer.
 */

import * as grpc from "@grpc/grpc-js";

type ChannelArguments = ConstructorParameters<typeof grpc.Channel>;

export class FreshChannel implements grpc.ChannelInterface {
  readonly #connectMs: number;
  readonly #arguments: ChannelArguments;
  #channel: grpc.ChannelInterface;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** `connectMs` is how long a connection may take. Then calls that wait for it fail, and the next call begins anew. */
  constructor(connectMs: number, ...channelArguments: ChannelArguments) {
    this.#connectMs = connectMs;
    this.#arguments = channelArguments;
    this.#channel = this.#open();
  }

  createCall(
    ...call: Parameters<grpc.ChannelInterface["createCall"]>
  ): ReturnType<grpc.ChannelInterface["createCall"]> {
    if (!this.#isReady && !this.#closed) this.#timer ??= setTimeout(() => this.#replaceUnlessReady(), this.#connectMs);
    return this.#channel.createCall(...call);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#channel.close();
  }

  getTarget(): string {
    return this.#channel.getTarget();
  }

  getConnectivityState(tryToConnect: boolean): grpc.connectivityState {
    return this.#channel.getConnectivityState(tryToConnect);
  }

  watchConnectivityState(...watch: Parameters<grpc.ChannelInterface["watchConnectivityState"]>): void {
    this.#channel.watchConnectivityState(...watch);
  }

  getChannelzRef(): ReturnType<grpc.ChannelInterface["getChannelzRef"]> {
    return this.#channel.getChannelzRef();
  }

  get #isReady(): boolean {
    return this.#channel.getConnectivityState(false) === grpc.connectivityState.READY;
  }

  #open(): grpc.ChannelInterface {
    return new grpc.Channel(...this.#arguments);
  }

  /** The state can't tell a connection that is refused again and again from one that isn't answered: both are replaced. */
  #replaceUnlessReady(): void {
    this.#timer = undefined;
    if (this.#isReady) return;
    this.#channel.close();
    this.#channel = this.#open();
  }
}
