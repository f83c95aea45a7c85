import { assert } from "@std/assert";
import type { Document } from "./document.ts";

/** Replaces a part of a configuration that must be there. */
export function replacePart(text: string, part: string, by: string): string {
  assert(text.includes(part), `There is no ${part} in\n${text}`);
  return text.replaceAll(part, by);
}

/** What a main configuration needs around the blocks of the page, to run in a folder. */
export function nginxMain(http: string, more = "", accessLog = "access_log off;"): string {
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `daemon off;
user root;
pid nginx.pid;
worker_processes 1;
${more}
events {}
http {
  ${accessLog}
  ${paths.map((name) => `${name}_temp_path ${name};`).join("\n  ")}
  ${http}
}
`;
}

/** The page's server block for nginx, without TLS. */
export function nginxServer(
  page: Document,
  hub: { readonly port: number },
  listen: string,
): string {
  const block = replacePart(page.block("nginx", "server_name"), "listen 443 ssl;", listen);
  const plain = block.split("\n").filter((line) => !line.includes("ssl_certificate")).join("\n");
  return replacePart(plain, "127.0.0.1:8000", `127.0.0.1:${hub.port}`);
}
