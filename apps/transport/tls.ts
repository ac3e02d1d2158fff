/**
 * Mutual TLS on gRPC: each side shows a certificate of one of the CAs that the other believes. Without that, a peer could
 * read trades, place them, and give away what isn't in the ledger.
 *
 * A failed handshake appears to grpc-js as a connection that can't be made. The side that knows the reason explains it in
 * its log: the caller if it refuses the server or is told by it, the server if it refuses the caller.
 */

import type { Http2SecureServer } from "node:http2";
import { isIP, type Socket } from "node:net";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import * as grpc from "@grpc/grpc-js";
import { type Address, withoutBrackets } from "@stock-bazaar/process/addresses";
import type { LiveIdentity } from "@stock-bazaar/process/live-identity";
import type { TlsIdentity } from "@stock-bazaar/process/tls-files";

/** Bun takes no IP address as the name of a server: this stands in its place, and means nothing. */
const nameOfAddress = "bazaar";

/** The most refusals that a server logs, each of another host or reason. */
const loggedLinesMax = 100;

export function serverCredentials(identity: LiveIdentity | undefined): grpc.ServerCredentials {
  if (!identity) return grpc.ServerCredentials.createInsecure();
  const provider = new Provider(identity);
  return grpc.experimental.createCertificateProviderServerCredentials(provider, provider, true);
}

/** For a channel with `channelOptions(address)`. The server's certificate must name the host of the address. */
export function channelCredentials(identity: LiveIdentity | undefined, address: Address): grpc.ChannelCredentials {
  if (!identity) return grpc.credentials.createInsecure();
  const host = withoutBrackets(address.host);
  const provider = new Provider(identity);
  return grpc.experimental.createCertificateProviderChannelCredentials(provider, provider, {
    checkServerIdentity: (_name: string, certificate: PeerCertificate) => checkServerIdentity(host, certificate),
  });
}

export function channelOptions({ host }: Address): grpc.ChannelOptions {
  return isIP(withoutBrackets(host)) === 0 ? {} : { "grpc.ssl_target_name_override": nameOfAddress };
}

/** What grpc-js calls a source of certificates, which may change. */
class Provider implements grpc.experimental.CertificateProvider {
  readonly #identity: LiveIdentity;
  readonly #ends = new Map<unknown, () => void>();

  constructor(identity: LiveIdentity) {
    this.#identity = identity;
  }

  addCaCertificateListener(listener: grpc.experimental.CaCertificateUpdateListener): void {
    this.#add(listener, ({ ca }) => listener({ caCertificate: Buffer.from(ca) }));
  }

  addIdentityCertificateListener(listener: grpc.experimental.IdentityCertificateUpdateListener): void {
    this.#add(listener, ({ certificate, key }) =>
      listener({ certificate: Buffer.from(certificate), privateKey: Buffer.from(key) }),
    );
  }

  removeCaCertificateListener(listener: grpc.experimental.CaCertificateUpdateListener): void {
    this.#remove(listener);
  }

  removeIdentityCertificateListener(listener: grpc.experimental.IdentityCertificateUpdateListener): void {
    this.#remove(listener);
  }

  #add(key: unknown, receive: (identity: TlsIdentity) => void): void {
    this.#ends.set(key, this.#identity.onChange(receive));
    // Later: grpc-js takes it only once its own call has returned.
    queueMicrotask(() => receive(this.#identity.current));
  }

  #remove(key: unknown): void {
    this.#ends.get(key)?.();
    this.#ends.delete(key);
  }
}

/** Why a caller found no connection; `undefined` if TLS isn't the reason. `server` begins the sentence. */
export function explainToCaller(server: string, details: string): string | undefined {
  const altNames = /ERR_TLS_CERT_ALTNAME_INVALID.*?(?:altnames|list): (.*?)(?:\. Resolution note|$)/.exec(details);
  if (altNames) return `${server} can't be trusted: its certificate is for other hosts (${altNames[1]})`;
  const why = callerReasons.find(([pattern]) => pattern.test(details))?.[1];
  return why === undefined ? undefined : `${server} ${why}`;
}

const callerReasons: readonly (readonly [RegExp, string])[] = [
  [/WRONG_VERSION_NUMBER/, "speaks no TLS: set TLS_CA, TLS_CERT and TLS_KEY there too"],
  [/certificate has expired|CERT_HAS_EXPIRED/, "can't be trusted: its certificate has expired"],
  [/not yet valid/, "can't be trusted: its certificate isn't valid yet"],
  [/self.signed certificate|unable to (verify|get)/, "can't be trusted: its certificate is from no CA in TLS_CA"],
  [/ALERT_CERTIFICATE_EXPIRED/, "refuses this service: the certificate in TLS_CERT has expired"],
  [/ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE)/, "refuses this service's certificate: its TLS_CA must have the CA"],
];

/** Logs each refusal of a caller, once for each host and reason. */
export function logRefusedCallers(server: grpc.Server, { logger }: LiveIdentity): void {
  const logged = new Set<string>();
  /** The hosts of connections: a refused one may be closed already, and then has none. */
  const hosts = new WeakMap<Socket, string>();
  const refused = (error: Error & { readonly code?: unknown }, socket: Socket) => {
    const why = explainToServer(`${String(error.code)} ${error.message}`);
    if (why === undefined) return;
    const line = `a client at ${hosts.get(socket) ?? "an unknown address"} was refused: ${why}`;
    if (logged.has(line) || logged.size >= loggedLinesMax) return;
    logged.add(line);
    logger.error(line);
  };
  // grpc-js reports these callers nowhere. This is a private field of it.
  const listening: unknown = Reflect.get(server, "http2Servers");
  if (!(listening instanceof Map)) return;
  for (const http2 of listening.keys() as Iterable<Http2SecureServer>) {
    http2.on("connection", (socket: Socket) => hosts.set(socket, socket.remoteAddress ?? ""));
    http2.on("tlsClientError", refused);
  }
}

/** `undefined` for a connection that has just ended: the caller knows why. */
function explainToServer(reason: string): string | undefined {
  if (/ECONNRESET|EPIPE|ETIMEDOUT/.test(reason)) return undefined;
  return serverReasons.find(([pattern]) => pattern.test(reason))?.[1] ?? `TLS failed (${reason})`;
}

const serverReasons: readonly (readonly [RegExp, string])[] = [
  [/PEER_DID_NOT_RETURN_A_CERTIFICATE/, "it shows no certificate"],
  [/WRONG_VERSION_NUMBER|HTTP_REQUEST|UNSUPPORTED_PROTOCOL/, "it speaks no TLS"],
  [/CERT_HAS_EXPIRED|has expired/, "its certificate has expired"],
  [/CERT_NOT_YET_VALID|not yet valid/, "its certificate isn't valid yet"],
  [/SELF_SIGNED|self.signed|UNABLE_TO_(VERIFY|GET)/, "its certificate is from no CA in TLS_CA"],
  [/INVALID_PURPOSE|purpose/, "its certificate isn't for clients"],
  [/ALERT/, "it doesn't trust the certificate in TLS_CERT"],
];
