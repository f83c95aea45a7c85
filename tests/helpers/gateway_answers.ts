/** Writes an answer as it stands on the wire. */
function answer(status: number, headers: Record<string, string>, body: string): string {
  const length = new TextEncoder().encode(body).length;
  const lines = Object.entries({ "content-length": String(length), ...headers })
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Whatever\r\nconnection: close\r\n${lines.join("")}\r\n${body}`;
}

const JSON_TYPE = { "content-type": "application/json" };
const HTML_TYPE = { "content-type": "text/html" };

function error(status: number, body: unknown, headers: Record<string, string> = {}): string {
  return answer(status, { ...JSON_TYPE, ...headers }, JSON.stringify(body));
}

/**
 * What gateways, load balancers, firewalls and login pages answer in a server's stead. None of it is
 * a word of the hub, however much it looks like one.
 */
export const GATEWAY_ANSWERS: readonly string[] = [
  error(502, { error: { code: "X", message: "y" } }),
  error(502, { error: { code: "unauthorized", message: "No upstream" } }),
  error(503, { error: { code: "forbidden", message: "No upstream" } }, { "retry-after": "3600" }),
  error(503, { message: "no Route matched" }, { "retry-after": "2592000" }),
  error(429, { message: "API rate limit exceeded" }, { "retry-after": "-1" }),
  error(403, { error: { code: "forbidden", message: "Blocked" }, ray: "7f" }),
  error(401, { error: "invalid_token" }),
  error(404, { error: { code: 404, message: "default backend - 404" } }),
  error(400, []),
  answer(403, HTML_TYPE, "<h1>403 Forbidden</h1><hr>nginx"),
  answer(404, HTML_TYPE, "<h1>404 Not Found</h1>"),
  answer(413, HTML_TYPE, "<h1>413 Request Entity Too Large</h1>"),
  answer(431, {}, ""),
  answer(408, {}, ""),
  answer(425, {}, ""),
  answer(500, HTML_TYPE, "<h1>Oops</h1>"),
  answer(504, { "retry-after": "Fri, 31 Dec 9999 23:59:59 GMT" }, "upstream timed out"),
  answer(200, HTML_TYPE, "<form>Accept the terms of this café</form>"),
  answer(200, JSON_TYPE, '{"messages":"none"}'),
  answer(200, JSON_TYPE, "null"),
  answer(204, {}, ""),
  answer(302, { location: "http://127.0.0.1:1/login" }, ""),
  answer(200, { ...JSON_TYPE, "content-length": "1000" }, '{"messages":['),
  answer(426, {}, ""),
  "HTTP/1.1 200 OK\r\n",
  "220 mail.example.com ESMTP\r\n",
];
