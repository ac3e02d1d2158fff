/** Certificates in files, for the services of one test. */

import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TlsFiles } from "@stock-bazaar/process/tls-files";
import { type Certified, makeAuthority, makeCertificate } from "../../apps/cli/certificates.ts";

export { makeAuthority, makeCertificate };

const ownHosts = ["localhost", "127.0.0.1", "::1"];

/** Three files that can be replaced while services use them. */
export class CertificateFolder implements TlsFiles {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.ca = join(folder, "ca.pem");
    this.certificate = join(folder, "cert.pem");
    this.key = join(folder, "key.pem");
  }

  get environment(): Readonly<Record<string, string>> {
    return { TLS_CA: this.ca, TLS_CERT: this.certificate, TLS_KEY: this.key };
  }

  trust(...authorities: readonly Certified[]): void {
    replace(this.ca, authorities.map(({ certificate }) => certificate).join(""));
  }

  use({ certificate, key }: Certified): void {
    replace(this.key, key);
    replace(this.certificate, certificate);
  }

  /** Creates the three files, by default with a certificate for this machine. */
  async fill(authority: Certified, hosts: readonly string[] = ownHosts): Promise<this> {
    this.trust(authority);
    this.use(await makeCertificate(authority, hosts));
    return this;
  }
}

/** A reader finds the old text or the new one. */
function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
