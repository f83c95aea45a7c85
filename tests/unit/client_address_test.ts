import { assertEquals } from "@std/assert";
import { addressOf } from "../../src/access/client_address.ts";

function addressFrom(hostname: string, options: { forwarded?: string; proxies?: number } = {}) {
  const { forwarded, proxies = 0 } = options;
  const headers = forwarded === undefined ? undefined : { "x-forwarded-for": forwarded };
  const request = new Request("http://localhost/", { headers });
  return addressOf(request, { remoteAddr: { transport: "tcp", hostname } }, proxies);
}

Deno.test("addressOf() takes an IPv4 address as it is, however it is written", () => {
  assertEquals(addressFrom("192.0.2.1"), "192.0.2.1");
  assertEquals(addressFrom("::ffff:192.0.2.1"), "192.0.2.1");
  assertEquals(addressFrom("::ffff:c000:201"), "192.0.2.1");
});

Deno.test("addressOf() takes an IPv6 address for its network", () => {
  for (
    const address of ["2001:db8:1:2::1", "2001:DB8:1:2:ffff::9", "2001:0db8:0001:0002:3:4:5:6"]
  ) {
    assertEquals(addressFrom(address), "2001:db8:1:2::/64");
  }
  assertEquals(addressFrom("2001:db8:1:3::1"), "2001:db8:1:3::/64");
  assertEquals(addressFrom("::1"), "::/64");
  assertEquals(addressFrom("fe80::1%eth0"), "fe80::/64");
});

Deno.test("addressOf() takes nothing for an address that is none", () => {
  for (const forwarded of ["@0#:", "::1#", "user@::1", "a:b", "1.2.3.4.5", "::g", ""]) {
    assertEquals(addressFrom("192.0.2.1", { forwarded, proxies: 1 }), "192.0.2.1", forwarded);
  }
});

Deno.test("addressOf() believes a forwarding header only as far as it has proxies", () => {
  const forwarded = "203.0.113.9, 203.0.113.8, 203.0.113.7";
  assertEquals(addressFrom("192.0.2.1", { forwarded }), "192.0.2.1");
  assertEquals(addressFrom("192.0.2.1", { forwarded, proxies: 1 }), "203.0.113.7");
  assertEquals(addressFrom("192.0.2.1", { forwarded, proxies: 2 }), "203.0.113.8");
  assertEquals(addressFrom("192.0.2.1", { forwarded, proxies: 4 }), "192.0.2.1");
  assertEquals(addressFrom("192.0.2.1", { proxies: 1 }), "192.0.2.1");
});

Deno.test("addressOf() reads addresses as proxies write them, and nothing else", () => {
  const through = (forwarded: string) => addressFrom("192.0.2.1", { forwarded, proxies: 1 });
  assertEquals(through("203.0.113.7:4711"), "203.0.113.7");
  assertEquals(through("[2001:db8::1]:4711"), "2001:db8::/64");
  assertEquals(through("2001:db8::1"), "2001:db8::/64");
  for (
    const junk of ["unknown", "_hidden", "", "999.1.1.1", "1.2.3", ":::", "a:b", "example.com"]
  ) {
    assertEquals(through(junk), "192.0.2.1", junk);
  }
});

Deno.test("addressOf() knows none where there is none", () => {
  const request = new Request("http://localhost/");
  assertEquals(addressOf(request, undefined, 0), undefined);
  assertEquals(addressOf(request, { remoteAddr: { transport: "unix" } }, 0), undefined);
});
