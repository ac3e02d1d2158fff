/** Makes a CA and certificates for one bazaar: for development, and for machines whose operators have no CA. */

import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { generate } from "selfsigned";

/** PEM texts. */
export interface Certified {
  readonly certificate: string;
  readonly key: string;
}

/** Tolerates clocks of other machines that are behind. */
const skewMs = 86_400_000;
const authorityYears = 10;
const certificateYears = 1;
const curve = { keyType: "ec", curve: "P-256", algorithm: "sha256" } as const;

/** Each has a name of its own: TLS finds the signer among several CAs by its name. `above` has signed it; default: itself. */
export async function makeAuthority(above?: Certified): Promise<Certified> {
  const { cert, private: key } = await generate(named(`Stock Bazaar CA ${randomBytes(4).toString("hex")}`), {
    ...curve,
    ...lasting(authorityYears),
    ...(above && { ca: { cert: above.certificate, key: above.key } }),
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return { certificate: pem(cert), key };
}

/** A certificate for servers and clients. `hosts` are names and IP addresses; those of IPv6 have no brackets. */
export async function makeCertificate(
  authority: Certified,
  hosts: readonly string[],
  { isClient = true } = {},
): Promise<Certified> {
  const { cert, private: key } = await generate(named("Stock Bazaar"), {
    ...curve,
    ...lasting(certificateYears),
    ca: { cert: authority.certificate, key: authority.key },
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true, clientAuth: isClient },
      {
        name: "subjectAltName",
        altNames: hosts.map((host) => (isIP(host) === 0 ? { type: 2, value: host } : { type: 7, ip: host })),
      },
    ],
  });
  return { certificate: pem(cert), key };
}

function named(commonName: string) {
  return [{ name: "commonName", value: commonName }];
}

function lasting(years: number) {
  const end = new Date();
  end.setFullYear(end.getFullYear() + years);
  return { notBeforeDate: new Date(Date.now() - skewMs), notAfterDate: end };
}

function pem(text: string): string {
  return `${text.trim()}\n`;
}
