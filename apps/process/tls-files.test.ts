import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { CertificateFolder, makeAuthority, makeCertificate } from "../../test/support/certificates.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { ConfigError } from "./environment.ts";
import { loadHttps, loadIdentity, readHttpsFiles, readTlsFiles, type TlsFiles, tlsVariables } from "./tls-files.ts";

type Authority = Awaited<ReturnType<typeof makeAuthority>>;

const dayMs = 86_400_000;
let authority: Authority;
let other: Authority;

beforeAll(async () => {
  [authority, other] = await Promise.all([makeAuthority(), makeAuthority()]);
});

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "accepted";
}

const files = () => new CertificateFolder(join(temporaryFolder(), "certs")).fill(authority);
const loading = (found: TlsFiles, nowMs = Date.now()) => refusal(() => loadIdentity(found, nowMs));

describe("the variables", () => {
  test("may all be unset, or empty", () => {
    expect(readTlsFiles({})).toBeUndefined();
    expect(readTlsFiles({ TLS_CA: " ", TLS_CERT: "" })).toBeUndefined();
    expect(readHttpsFiles({})).toBeUndefined();
  });

  test("name files", () => {
    expect(readTlsFiles({ TLS_CA: "a", TLS_CERT: " b ", TLS_KEY: "c" })).toEqual({
      ca: "a",
      certificate: "b",
      key: "c",
    });
    expect(readHttpsFiles({ FRONTEND_TLS_CERT: "b", FRONTEND_TLS_KEY: "c" })).toEqual({ certificate: "b", key: "c" });
  });

  test("are set together", () => {
    expect(refusal(() => readTlsFiles({ TLS_CA: "a", TLS_CERT: "b" }))).toBe(
      "TLS_KEY must name a file, because TLS_CA, TLS_CERT, TLS_KEY work only together (not set)",
    );
    expect(refusal(() => readHttpsFiles({ FRONTEND_TLS_KEY: "c" }))).toBe(
      "FRONTEND_TLS_CERT must name a file, because FRONTEND_TLS_CERT, FRONTEND_TLS_KEY work only together (not set)",
    );
  });
});

test("the variables of TLS are passed on with full paths, and no others", () => {
  expect(tlsVariables({ TLS_CA: "ca.pem", FRONTEND_TLS_KEY: "/key.pem", TLS_KEY: "", PATH: "/bin" })).toEqual({
    TLS_CA: resolve("ca.pem"),
    FRONTEND_TLS_KEY: "/key.pem",
  });
});

describe("files that fit together", () => {
  test("are an identity, which ends with its certificate", async () => {
    const { ca, certificate, key, expiresMs } = loadIdentity(await files(), Date.now());
    expect(ca).toContain("BEGIN CERTIFICATE");
    expect(certificate).toContain("BEGIN CERTIFICATE");
    expect(key).toContain("PRIVATE KEY");
    expect(expiresMs).toBeGreaterThan(Date.now() + 364 * dayMs);
  });

  test("may be a chain: the certificates between the own one and the CA follow it", async () => {
    const found = await files();
    const middle = await makeAuthority(authority);
    const leaf = await makeCertificate(middle, ["localhost"]);
    found.use(leaf);
    expect(loading(found)).toMatch(/^TLS_CERT must be signed by a certificate in TLS_CA/);
    found.use({ ...leaf, certificate: leaf.certificate + middle.certificate });
    expect(loading(found)).toBe("accepted");
  });

  test("may have several CAs, of which one has signed", async () => {
    const found = await files();
    found.trust(other, authority);
    expect(loading(found)).toBe("accepted");
  });

  test("serve HTTPS without a CA", async () => {
    const { certificate, key } = await files();
    expect(loadHttps({ certificate, key }, Date.now()).certificate).toBe(readFileSync(certificate, "utf8"));
  });
});

describe("a file is refused with the variable, what it must be and its path", () => {
  test("if it is missing", async () => {
    const found = await files();
    const ca = join(temporaryFolder(), "none.pem");
    expect(loading({ certificate: found.certificate, key: found.key, ca })).toBe(
      `TLS_CA must be a file that this user can read (got "${ca}"): ENOENT`,
    );
  });

  test("if it isn't PEM, and nothing of it is shown", async () => {
    const { ca, certificate, key } = await files();
    const secret = join(temporaryFolder(), "secret");
    writeFileSync(secret, "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n");
    expect(loading({ ca, certificate, key: secret })).toBe(
      `TLS_KEY must be a file with a private key in PEM form, without a passphrase (got "${secret}")`,
    );
    expect(loading({ ca, certificate: secret, key })).toBe(
      `TLS_CERT must be a file with certificates in PEM form (got "${secret}")`,
    );
    writeFileSync(secret, "-----BEGIN CERTIFICATE-----\nsecret\n-----END CERTIFICATE-----\n");
    expect(loading({ ca: secret, certificate, key })).toBe(
      `TLS_CA must be a file with certificates in PEM form (got "${secret}")`,
    );
  });

  test("if the key is another certificate's", async () => {
    const [{ ca, certificate }, { key }] = await Promise.all([files(), files()]);
    expect(loading({ ca, certificate, key })).toBe(
      `TLS_KEY must be the key of the first certificate in TLS_CERT, which is ${certificate} (got "${key}")`,
    );
    expect(refusal(() => loadHttps({ certificate, key }, Date.now()))).toBe(
      `FRONTEND_TLS_KEY must be the key of the first certificate in FRONTEND_TLS_CERT, which is ${certificate} (got "${key}")`,
    );
  });

  test("if no CA has signed the certificate", async () => {
    const found = await files();
    found.trust(other);
    expect(loading(found)).toBe(
      `TLS_CERT must be signed by a certificate in TLS_CA, which is ${found.ca} (got "${found.certificate}")`,
    );
  });

  test("if it has expired, or isn't valid yet", async () => {
    const found = await files();
    expect(loading(found, Date.now() + 400 * dayMs)).toMatch(
      /^TLS_CERT must hold a valid certificate, but it expired on \d{4}-\d\d-\d\d \(got /,
    );
    expect(loading(found, Date.now() - 3 * dayMs)).toMatch(
      /^TLS_CERT must be valid since .*: this machine's clock may be wrong$/,
    );
  });

  test("if the certificate is only for servers", async () => {
    const found = await files();
    found.use(await makeCertificate(authority, ["localhost"], { isClient: false }));
    expect(loading(found)).toMatch(/^TLS_CERT must be a certificate for servers and for clients/);
  });
});
